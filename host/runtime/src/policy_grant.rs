use std::{collections::HashSet, num::NonZeroU32, time::Duration};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::{Error, Listing, Operation, convert::cut, world::Import};

/// What a policy may do, and reach. Deny by default.
///
/// ```
/// use artifact_store::{Operation, PolicyGrant};
///
/// let reader = PolicyGrant::none().operations([Operation::Get, Operation::Head]);
/// ```
#[derive(Clone, Debug)]
pub struct PolicyGrant {
    operations: HashSet<Operation>,
    keys_under: String,
    keys: Option<Patterns>,
    next_calls: usize,
    wall_time: Option<Duration>,
    digest: bool,
    clock: bool,
    log: Option<NonZeroU32>,
    empty_wasi: bool,
}

/// Patterns of keys, compiled.
#[derive(Clone, Debug)]
struct Patterns {
    texts: Vec<String>,
    globs: GlobSet,
}

impl PolicyGrant {
    /// Nothing: a policy with it can only refuse.
    #[must_use]
    pub fn none() -> Self {
        Self {
            operations: HashSet::new(),
            keys_under: String::new(),
            keys: None,
            next_calls: 8,
            wall_time: None,
            digest: false,
            clock: false,
            log: None,
            empty_wasi: false,
        }
    }

    /// Every operation, on every key of the store. For a policy that is trusted to
    /// do what it says.
    ///
    /// It is still no import of [`digest`](Self::digest), [`clock`](Self::clock),
    /// [`log`](Self::log) or [WASI](Self::empty_wasi).
    #[must_use]
    pub fn all() -> Self {
        use Operation::{Delete, Get, Head, List, Put};
        Self::none().operations([Put, Get, Head, Delete, List])
    }

    /// The operations that it may call, whatever it was called for itself.
    ///
    /// Stops a policy that deletes while it is asked to put. Default: none.
    #[must_use]
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.operations = operations.into_iter().collect();
        self
    }

    /// The beginning of every key that it may name, and of every listing.
    ///
    /// Stops a policy of one tenant that reaches for another's artifacts. Default:
    /// empty, which is every key of the store.
    #[must_use]
    pub fn keys_under(mut self, prefix: impl Into<String>) -> Self {
        self.keys_under = prefix.into();
        self
    }

    /// Patterns of the keys that it may name; one that fits is enough. A listing
    /// shows it no others.
    ///
    /// `?` is one character, `*` any number of them, both without `/`; `**` is any
    /// number of whole segments; `[a-z]` and `{one,other}` choose. A pattern has at
    /// most 1,024 bytes, and there are at most 100.
    ///
    /// Stops a policy that is made for some artifacts from touching others next to
    /// them, where no prefix tells them apart. Default: every key.
    ///
    /// ```
    /// use artifact_store::PolicyGrant;
    ///
    /// let grant = PolicyGrant::all().keys(["*/releases/**", "*.patch"])?;
    /// assert!(PolicyGrant::all().keys(["[a"]).is_err());
    /// # Ok::<(), artifact_store::Error>(())
    /// ```
    pub fn keys<P: Into<String>>(
        mut self,
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, Error> {
        let texts: Vec<String> = patterns.into_iter().map(Into::into).collect();
        if texts.len() > 100 {
            return Err(Error::config("a grant takes at most 100 patterns of keys"));
        }
        let mut globs = GlobSetBuilder::new();
        for text in &texts {
            if text.len() > 1024 {
                return Err(Error::config("a pattern of keys has at most 1,024 bytes"));
            }
            let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| {
                Error::config(format!("{text:?} is no pattern of keys")).caused_by(error)
            })?;
            globs.add(glob);
        }
        let globs = globs.build().map_err(|error| {
            Error::config("the patterns of keys are too much together").caused_by(error)
        })?;
        self.keys = Some(Patterns { texts, globs });
        Ok(self)
    }

    /// Calls of the next store in one call of its own; a digest counts as one.
    ///
    /// Stops a policy that turns one request into thousands. Default 8: a put that
    /// looks first, and its like, take two or three.
    #[must_use]
    pub fn next_calls(mut self, calls: usize) -> Self {
        self.next_calls = calls;
        self
    }

    /// How long one call of it may take until its answer, with all that it calls.
    ///
    /// Stops a policy that asks the next store again and again, each time within its
    /// other limits, while its caller waits. Default: none but the store's own
    /// [`deadline`](crate::StoreBuilder::deadline), since a put takes as long as
    /// its bytes do.
    #[must_use]
    pub fn wall_time(mut self, at_most: Duration) -> Self {
        self.wall_time = Some(at_most);
        self
    }

    /// Whether it may import `agent:artifacts/digest`: the SHA-256 of a body.
    ///
    /// Stops a policy that has every body read twice, or set aside on disk, without
    /// need. Default: no.
    #[must_use]
    pub fn digest(mut self, granted: bool) -> Self {
        self.digest = granted;
        self
    }

    /// Whether it may import `agent:artifacts/clock`: what the time is, to the second.
    ///
    /// Stops a policy that behaves while it is looked at, and otherwise from some day
    /// on. Default: no.
    #[must_use]
    pub fn clock(mut self, granted: bool) -> Self {
        self.clock = granted;
        self
    }

    /// Whether it may import `agent:artifacts/log`, and how many records it may write
    /// in a second, over all its calls. 0 takes the import away.
    ///
    /// Records go to `tracing`, target `artifact_store::policy_log`. Those beyond the
    /// rate are counted and not written.
    ///
    /// Stops a policy that fills the disk with its records, or buries others' in
    /// them. Default: no.
    #[must_use]
    pub fn log(mut self, records_per_second: u32) -> Self {
        self.log = NonZeroU32::new(records_per_second);
        self
    }

    /// Whether it may import WASI 0.2, which the interpreters of other languages need
    /// before they run a line of their script. There is nothing behind it.
    ///
    /// It finds no arguments, variables, files or standard input; what it prints is
    /// thrown away; sockets and names are refused. Clocks stand still at 1970
    /// ([`clock`](Self::clock) tells the time), to sleep is an error, and random numbers
    /// are the same in every call: fit for a hash map, not for a secret. `wasi:http` is
    /// not part of it.
    ///
    /// Stops a policy that looks at the clock to see what others do, and one that waits
    /// while it keeps its room in the sandbox. The host's code behind these interfaces is
    /// one more thing that could have a bug. Default: no.
    #[must_use]
    pub fn empty_wasi(mut self, granted: bool) -> Self {
        self.empty_wasi = granted;
        self
    }

    pub(crate) fn max_next_calls(&self) -> usize {
        self.next_calls
    }

    pub(crate) fn max_wall_time(&self) -> Option<Duration> {
        self.wall_time
    }

    pub(crate) fn records_per_second(&self) -> Option<u32> {
        self.log.map(NonZeroU32::get)
    }

    /// What it may import besides what every policy may.
    #[must_use]
    pub fn imports(&self) -> Vec<Import> {
        let digest = self.digest.then_some(Import::Digest);
        let clock = self.clock.then_some(Import::Clock);
        let log = self.log.map(|_| Import::Log);
        let wasi = self.empty_wasi.then_some(Import::Wasi);
        [digest, clock, log, wasi].into_iter().flatten().collect()
    }

    /// Whether the policy may make this call; if not, what it asked for and what it has.
    /// `key` is a listing's prefix, too.
    pub(crate) fn admit(&self, operation: Operation, key: &str) -> Result<(), String> {
        let asked = match operation {
            Operation::List => format!("listings under {:?}", cut(key, 100)),
            _ => format!("the key {:?}", cut(key, 100)),
        };
        if !self.operations.contains(&operation) {
            let granted = self.granted_operations();
            return Err(format!("the operation `{}`: it has {granted}", operation.as_str()));
        }
        if !key.starts_with(&self.keys_under) {
            let under = &self.keys_under;
            return Err(format!("{asked}: it has keys that begin with {under:?}"));
        }
        match &self.keys {
            Some(patterns) if operation != Operation::List && !patterns.globs.is_match(key) => {
                let texts = &patterns.texts;
                Err(format!("{asked}: it has keys that fit one of {texts:?}"))
            }
            _ => Ok(()),
        }
    }

    fn granted_operations(&self) -> String {
        use Operation::{Delete, Get, Head, List, Put};
        let all = [Put, Get, Head, Delete, List].into_iter();
        let granted = all.filter(|operation| self.operations.contains(operation));
        let names: Vec<&str> = granted.map(Operation::as_str).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// Takes out of a listing what the policy may not name. What a delimiter gathered
    /// stays where a key that begins so could fit.
    pub(crate) fn confine(&self, listing: &mut Listing) {
        let Some(patterns) = &self.keys else { return };
        listing.objects.retain(|object| self.fits(&object.key));
        listing.common_prefixes.retain(|prefix| {
            patterns
                .texts
                .iter()
                .map(|text| literal_start(text))
                .any(|literal| prefix.starts_with(literal) || literal.starts_with(prefix.as_str()))
        });
    }

    fn fits(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|patterns| patterns.globs.is_match(key))
    }
}

/// What a pattern begins with before anything that matches more than itself.
fn literal_start(pattern: &str) -> &str {
    pattern.split(['*', '?', '[', '{', '\\']).next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use artifact_s3::ListedObject;

    use super::*;

    #[test]
    fn nothing_is_granted_by_default() {
        for operation in [Operation::Put, Operation::Get, Operation::List] {
            assert!(PolicyGrant::none().admit(operation, "k").is_err());
        }
        let grant = PolicyGrant::none().operations([Operation::Get]).keys_under("a/");
        assert!(grant.admit(Operation::Get, "a/k").is_ok());
        let refusal = |operation, key| grant.admit(operation, key).unwrap_err();
        assert_eq!(refusal(Operation::Put, "a/k"), "the operation `put`: it has get");
        assert_eq!(
            refusal(Operation::Get, "b/k"),
            r#"the key "b/k": it has keys that begin with "a/""#
        );
    }

    #[test]
    fn patterns_decide_by_whole_keys() {
        let grant = PolicyGrant::all().keys(["a/*.patch", "b/**"]).unwrap();
        for (key, granted) in
            [("a/x.patch", true), ("a/b/x.patch", false), ("b/c/d", true), ("xa/x.patch", false)]
        {
            assert_eq!(grant.admit(Operation::Get, key).is_ok(), granted, "{key}");
        }
        assert!(grant.admit(Operation::List, "").is_ok());
        let object = |key: &str| ListedObject { key: key.to_owned(), ..Default::default() };
        let mut listing = Listing {
            objects: vec![object("a/x.patch"), object("a/secret"), object("b/y")],
            common_prefixes: vec!["a/".to_owned(), "b/".to_owned(), "c/".to_owned()],
            continuation: None,
        };
        grant.confine(&mut listing);
        let keys: Vec<_> = listing.objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, ["a/x.patch", "b/y"]);
        assert_eq!(listing.common_prefixes, ["a/", "b/"]);
    }
}
