/// The longest pattern, in characters; stars beside one another count once.
pub const MAX_PATTERN_CHARS: usize = 127;

/// A pattern for whole keys.
///
/// - `*` is any run of characters without `/`, also none;
/// - `**` is any run of characters, also none;
/// - `?` is one character, and not `/`;
/// - everything else is itself: nothing is escaped, upper and lower case differ;
/// - it has at most [`MAX_PATTERN_CHARS`].
///
/// Matching follows all ways through the pattern side by side: a bit for each place in
/// the pattern, and one step for each character of the key, whatever both are. So no
/// key makes it slow, and it takes no stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// The place behind the last character: the whole pattern is read.
    end: u128,
    /// The places of each ASCII character that stands for itself, by its code.
    ascii: Vec<u128>,
    /// The other characters that stand for themselves, in order, and their places.
    others: Vec<(char, u128)>,
    /// The places of `?`, of `*` and of `**`.
    ones: u128,
    runs: u128,
    long_runs: u128,
}

impl Glob {
    /// The pattern that the text stands for; none where it is too long.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (mut ascii, mut others) = (vec![0; 128], Vec::new());
        let (mut ones, mut runs, mut long_runs) = (0, 0, 0);
        let mut place = 1_u128;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                // Two and more stars are one place, so no two runs are neighbours.
                '*' if chars.next_if_eq(&'*').is_some() => {
                    while chars.next_if_eq(&'*').is_some() {}
                    long_runs |= place;
                }
                '*' => runs |= place,
                '?' => ones |= place,
                _ => match ascii.get_mut(c as usize) {
                    Some(places) => *places |= place,
                    None => add(&mut others, c, place),
                },
            }
            place = place.checked_mul(2)?;
        }
        Some(Self { text: text.to_owned(), end: place, ascii, others, ones, runs, long_runs })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern stands for this key.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        self.after(key) & self.end != 0
    }

    /// Whether the pattern stands for any key that begins so.
    #[must_use]
    pub fn may_match_beneath(&self, beginning: &str) -> bool {
        self.after(beginning) != 0
    }

    /// Whether it is plain that the pattern stands for every key that begins so:
    /// what is left of it is `**`.
    #[must_use]
    pub fn matches_all_beneath(&self, beginning: &str) -> bool {
        self.after(beginning) & self.last_long_run() != 0
    }

    /// All the places where one may be in the pattern once the text is read.
    fn after(&self, text: &str) -> u128 {
        let last_long_run = self.last_long_run();
        let mut places = self.entered(1);
        for c in text.chars() {
            // Nowhere, or where everything fits: it stays so.
            if places == 0 || places & last_long_run != 0 {
                break;
            }
            let (mut read, mut stay) = (self.literal(c), self.long_runs);
            if c != '/' {
                read |= self.ones;
                stay |= self.runs;
            }
            places = self.entered(((places & read) << 1) | (places & stay));
        }
        places
    }

    /// The places, and those behind the runs that begin there: a run may be empty.
    fn entered(&self, places: u128) -> u128 {
        places | ((places & (self.runs | self.long_runs)) << 1)
    }

    /// The places of a character that stands for itself.
    fn literal(&self, c: char) -> u128 {
        if let Some(places) = self.ascii.get(c as usize) {
            return *places;
        }
        find(&self.others, c).ok().and_then(|at| self.others.get(at)).map_or(0, |other| other.1)
    }

    /// The place of a `**` that ends the pattern, if one does.
    fn last_long_run(&self) -> u128 {
        self.long_runs & (self.end >> 1)
    }
}

fn add(others: &mut Vec<(char, u128)>, c: char, place: u128) {
    match find(others, c) {
        Ok(at) => others.iter_mut().skip(at).take(1).for_each(|(_, places)| *places |= place),
        Err(at) => others.insert(at, (c, place)),
    }
}

fn find(others: &[(char, u128)], c: char) -> Result<usize, usize> {
    others.binary_search_by_key(&c, |(known, _)| *known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(pattern).unwrap()
    }

    /// The same by definition: short, and slow enough to be no use elsewhere.
    fn by_definition(pattern: &[char], key: &[char]) -> bool {
        match pattern {
            [] => key.is_empty(),
            ['*', '*', rest @ ..] => (0..=key.len()).any(|run| by_definition(rest, &key[run..])),
            ['*', rest @ ..] => (0..=key.len())
                .take_while(|run| !key[..*run].contains(&'/'))
                .any(|run| by_definition(rest, &key[run..])),
            ['?', rest @ ..] => {
                key.first().is_some_and(|c| *c != '/') && by_definition(rest, &key[1..])
            }
            [c, rest @ ..] => key.first() == Some(c) && by_definition(rest, &key[1..]),
        }
    }

    /// Every text of up to `longest` characters of the alphabet.
    fn texts(alphabet: &str, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..longest {
            let to = all.len();
            for at in from..to {
                for c in alphabet.chars() {
                    all.push(format!("{}{c}", all[at]));
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn short_patterns_match_by_definition() {
        let keys = texts("ab/", 5);
        for pattern in texts("a/?*", 5) {
            let glob = glob(&pattern);
            let pattern: Vec<char> = pattern.chars().collect();
            for key in &keys {
                let expected = by_definition(&pattern, &key.chars().collect::<Vec<_>>());
                assert_eq!(glob.matches(key), expected, "{pattern:?} {key:?}");
            }
        }
    }

    #[test]
    fn what_lies_beneath_is_known_by_definition() {
        let beginnings = texts("a/", 3);
        let keys = texts("a/", 6);
        for pattern in texts("a/*", 3) {
            let glob = glob(&pattern);
            for beginning in &beginnings {
                let beneath = || keys.iter().filter(|key| key.starts_with(beginning));
                let some = beneath().any(|key| glob.matches(key));
                assert_eq!(glob.may_match_beneath(beginning), some, "{pattern:?} {beginning:?}");
                if glob.matches_all_beneath(beginning) {
                    assert!(beneath().all(|key| glob.matches(key)), "{pattern:?} {beginning:?}");
                }
            }
        }
        assert!(glob("secret/**").matches_all_beneath("secret/"));
        assert!(glob("secret**").matches_all_beneath("secret/deep/"));
        assert!(!glob("secret/**").matches_all_beneath("sec"));
        assert!(!glob("secret/*").matches_all_beneath("secret/"));
        assert!(!glob("").matches_all_beneath(""));
    }

    #[test]
    fn a_character_is_not_a_byte() {
        assert!(glob("?/ключ-*").matches("é/ключ-键"));
        assert!(!glob("??").matches("é"));
        assert!(glob("жaéжé").matches("жaéжé"));
        assert!(!glob("жaéжé").matches("жaжéé"));
    }

    #[test]
    fn case_blanks_and_what_is_special_elsewhere_are_themselves() {
        for text in ["A", "a b", "[a]", "{a}", r"a\", "a.b", "!a", "^$"] {
            assert!(glob(text).matches(text));
        }
        assert!(!glob("A").matches("a"));
        assert!(!glob("[ab]").matches("a"));
        assert!(!glob("a.b").matches("axb"));
    }

    #[test]
    fn a_pattern_has_so_many_characters_and_no_more() {
        for c in ["a", "é", "?"] {
            let longest = c.repeat(MAX_PATTERN_CHARS);
            assert!(glob(&longest).matches(&longest), "{c}");
            assert!(!glob(&longest).matches(&longest.replacen(c, "/", 1)), "{c}");
            assert_eq!(Glob::new(&[&longest, c].concat()), None, "{c}");
        }
        assert!(glob(&"*".repeat(1000)).matches("a/b"));
    }

    #[test]
    fn a_hard_pattern_takes_no_longer_than_another() {
        // Backtracking would take more steps than there are atoms.
        let key = "a".repeat(1024);
        for star in ["*", "**"] {
            let hard = glob(&format!("{}b", format!("{star}a").repeat(60)));
            let started = std::time::Instant::now();
            for _ in 0..10 {
                assert!(!hard.matches(&key));
                assert!(hard.matches(&format!("{key}b")));
            }
            assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
        }
    }
}
