/// A pattern for whole keys.
///
/// - `*` is any run of characters without `/`, also none;
/// - `**` is any run of characters, also none;
/// - `?` is one character, and not `/`;
/// - everything else is itself: nothing is escaped, upper and lower case differ.
///
/// Matching follows all ways through the pattern side by side, one character of the
/// key after the other. So it takes at most as many steps as the pattern has
/// characters times those of the key, whatever they are, and no stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Itself(char),
    One,
    Run,
    RunOverSlashes,
}

impl Glob {
    /// The pattern that the text stands for: every text is one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        for c in text.chars() {
            let token = match (c, tokens.last()) {
                // Two and more stars are one token, so no two runs are neighbours.
                ('*', Some(Token::Run | Token::RunOverSlashes)) => {
                    tokens.pop();
                    Token::RunOverSlashes
                }
                ('*', _) => Token::Run,
                ('?', _) => Token::One,
                _ => Token::Itself(c),
            };
            tokens.push(token);
        }
        Self { text: text.to_owned(), tokens }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern stands for this key.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        self.after(key).last() == Some(&self.tokens.len())
    }

    /// Whether the pattern stands for any key that begins so.
    #[must_use]
    pub fn may_match_beneath(&self, beginning: &str) -> bool {
        !self.after(beginning).is_empty()
    }

    /// Whether it is plain that the pattern stands for every key that begins so:
    /// what is left of it is `**`.
    #[must_use]
    pub fn matches_all_beneath(&self, beginning: &str) -> bool {
        self.tokens.last() == Some(&Token::RunOverSlashes)
            && self.after(beginning).contains(&(self.tokens.len() - 1))
    }

    /// How many tokens may lie behind us once the text is read: all ways there are,
    /// in ascending order.
    fn after(&self, text: &str) -> Vec<usize> {
        let (mut places, mut next) = (Vec::new(), Vec::new());
        self.enter(0, &mut places);
        for c in text.chars() {
            for at in places.drain(..) {
                match self.tokens.get(at) {
                    Some(Token::Itself(own)) if *own == c => self.enter(at + 1, &mut next),
                    Some(Token::One) if c != '/' => self.enter(at + 1, &mut next),
                    Some(Token::Run) if c != '/' => self.enter(at, &mut next),
                    Some(Token::RunOverSlashes) => self.enter(at, &mut next),
                    _ => {}
                }
            }
            std::mem::swap(&mut places, &mut next);
            if places.is_empty() {
                break;
            }
        }
        places
    }

    /// Adds a place, and the one behind a run that begins there: it may be empty.
    fn enter(&self, at: usize, places: &mut Vec<usize>) {
        let mut add = |place| {
            // Places come in ascending order, so one that is no higher is there already.
            if places.last().is_none_or(|last| *last < place) {
                places.push(place);
            }
        };
        add(at);
        if matches!(self.tokens.get(at), Some(Token::Run | Token::RunOverSlashes)) {
            add(at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let glob = Glob::new(&pattern);
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
            let glob = Glob::new(&pattern);
            for beginning in &beginnings {
                let beneath = || keys.iter().filter(|key| key.starts_with(beginning));
                let some = beneath().any(|key| glob.matches(key));
                assert_eq!(glob.may_match_beneath(beginning), some, "{pattern:?} {beginning:?}");
                if glob.matches_all_beneath(beginning) {
                    assert!(beneath().all(|key| glob.matches(key)), "{pattern:?} {beginning:?}");
                }
            }
        }
        assert!(Glob::new("secret/**").matches_all_beneath("secret/"));
        assert!(Glob::new("secret**").matches_all_beneath("secret/deep/"));
        assert!(!Glob::new("secret/**").matches_all_beneath("sec"));
        assert!(!Glob::new("secret/*").matches_all_beneath("secret/"));
        assert!(!Glob::new("").matches_all_beneath(""));
    }

    #[test]
    fn a_character_is_not_a_byte() {
        assert!(Glob::new("?/ключ-*").matches("é/ключ-键"));
        assert!(!Glob::new("??").matches("é"));
    }

    #[test]
    fn case_blanks_and_what_is_special_elsewhere_are_themselves() {
        for text in ["A", "a b", "[a]", "{a}", r"a\", "a.b", "!a", "^$"] {
            assert!(Glob::new(text).matches(text));
        }
        assert!(!Glob::new("A").matches("a"));
        assert!(!Glob::new("[ab]").matches("a"));
        assert!(!Glob::new("a.b").matches("axb"));
    }

    #[test]
    fn a_hard_pattern_takes_no_more_than_its_length_times_the_keys() {
        // Backtracking would take more steps than there are atoms.
        let key = "a".repeat(1024);
        for star in ["*", "**"] {
            let pattern = format!("{}b", format!("{star}a").repeat(60));
            let started = std::time::Instant::now();
            for _ in 0..10 {
                assert!(!Glob::new(&pattern).matches(&key));
                assert!(Glob::new(&pattern).matches(&format!("{key}b")));
            }
            assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
        }
    }
}
