//! What the policy `read-only` says to whoever wants to change something.

#![forbid(unsafe_code)]

/// Why a call is refused; `call` is its name, such as `put`.
#[must_use]
pub fn refusal(call: &str, key: &str) -> String {
    ["the store is read-only: ", call, " of ", key, " is refused"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_names_the_call_and_the_key() {
        assert_eq!(refusal("put", "a/b"), "the store is read-only: put of a/b is refused");
        assert_eq!(refusal("delete", "k"), "the store is read-only: delete of k is refused");
    }
}
