//! What the policy decides. It knows nothing of components, so that `cargo test`
//! tests it on this machine.

/// What refused keys begin with, where no setting says it.
pub const DRAFTS: &str = "drafts/";

/// Why a call with this key is refused, if it is.
pub fn refusal(refused: &str, key: &str) -> Option<String> {
    key.starts_with(refused).then(|| format!("keys under {refused} are not kept: {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_refused_and_nothing_else() {
        assert_eq!(refusal(DRAFTS, "drafts/1").unwrap(), "keys under drafts/ are not kept: drafts/1");
        for kept in ["notes/1", "drafts", "my/drafts/1"] {
            assert_eq!(refusal(DRAFTS, kept), None);
        }
    }
}
