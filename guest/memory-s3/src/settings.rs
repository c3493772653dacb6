use std::collections::BTreeSet;

/// The settings of the component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The buckets that exist; none for any that is named.
    pub buckets: Option<BTreeSet<String>>,
    /// How many bytes may be kept in all, keys and descriptions among them.
    pub capacity: usize,
}

/// Half of the memory that a component has by default.
const DEFAULT_CAPACITY: usize = 8 << 20;

impl Settings {
    /// Reads `buckets` (names with commas between them) and `capacity` (bytes).
    pub fn parse(buckets: Option<&str>, capacity: Option<&str>) -> Result<Self, String> {
        let names = |text: &str| {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        let capacity = match capacity {
            None => DEFAULT_CAPACITY,
            Some(text) => text.parse().map_err(|_| {
                format!("the setting `capacity` is {text:?}: give it a number of bytes")
            })?,
        };
        Ok(Self { buckets: buckets.map(names), capacity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_named_with_commas_and_capacity_is_a_number() {
        let settings = Settings::parse(Some(" a-b, c,"), Some("1000")).unwrap();
        assert_eq!(settings.buckets.unwrap().into_iter().collect::<Vec<_>>(), ["a-b", "c"]);
        assert_eq!(settings.capacity, 1000);
        assert_eq!(Settings::parse(None, None).unwrap().buckets, None);
        for bad in ["", "1 MB", "-1"] {
            assert!(Settings::parse(None, Some(bad)).unwrap_err().contains("number of bytes"));
        }
    }
}
