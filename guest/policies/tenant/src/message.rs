/// What the caller is told of an artifact that is not there.
///
/// Always the same words, whatever the next store says: neither the tenant's name
/// nor a hint of anything beneath is in them.
#[must_use]
pub fn not_found(key: &str) -> String {
    ["artifact not found: ", key].concat()
}

/// A message of the next store, in the caller's terms: where it names `joined`, it
/// names `own`, which is the key or the listing's prefix as the caller gave it.
///
/// A message that names nothing stays as it is to the byte. The host then knows the
/// error for the one that it saw, and whose fault it is.
#[must_use]
pub fn told(message: &str, joined: &str, own: &str) -> String {
    if own.is_empty() {
        // A listing of everything: there is no prefix to speak of.
        return message.replace(&[" under ", joined].concat(), "");
    }
    message.replace(joined, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_names_the_callers_key() {
        assert_eq!(not_found("k"), "artifact not found: k");
    }

    #[test]
    fn a_message_names_the_callers_key() {
        assert_eq!(
            told("failed to get artifact acme/k: access denied", "acme/k", "k"),
            "failed to get artifact k: access denied"
        );
        assert_eq!(told("acme/acme/k", "acme/acme/k", "acme/k"), "acme/k");
    }

    #[test]
    fn a_listing_of_everything_names_no_prefix() {
        assert_eq!(
            told("failed to list artifacts under acme/: access denied", "acme/", ""),
            "failed to list artifacts: access denied"
        );
        assert_eq!(
            told("failed to list artifacts under acme/runs/: access denied", "acme/runs/", "runs/"),
            "failed to list artifacts under runs/: access denied"
        );
    }

    #[test]
    fn a_message_without_the_key_stays_as_it_is() {
        for message in ["the component trapped", "", "invalid key: the key is empty"] {
            assert_eq!(told(message, "acme/k", "k"), message);
            assert_eq!(told(message, "acme/", ""), message);
        }
    }
}
