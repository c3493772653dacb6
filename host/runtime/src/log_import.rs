use std::{
    fmt::{self, Write},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::{bindings::agent::artifacts::log, convert::cut, instance::CallState};

/// Most fields of one record that are written.
const MAX_FIELDS: usize = 32;
/// Longest name or value of a field that is written, in bytes.
const MAX_FIELD: usize = 1024;

/// Where the records of one component go: `tracing`, under the target
/// `artifact_store::policy_log`, with the component's name.
///
/// It is shared by the component's calls, so that its rate is one rate.
pub(crate) struct Log {
    component: String,
    per_second: u32,
    allowance: Mutex<Allowance>,
}

/// A token bucket that holds as many records as one second gives.
struct Allowance {
    records: f64,
    at: Instant,
    suppressed: u64,
}

impl Log {
    pub(crate) fn new(component: &str, per_second: u32) -> Self {
        let records = f64::from(per_second);
        let allowance = Allowance { records, at: Instant::now(), suppressed: 0 };
        Self { component: component.to_owned(), per_second, allowance: Mutex::new(allowance) }
    }

    /// Whether a record may be written now, and how many were not since the last one.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        let most = f64::from(self.per_second);
        let passed = now.saturating_duration_since(allowance.at).as_secs_f64();
        allowance.records = (allowance.records + passed * most).min(most);
        allowance.at = now;
        if allowance.records < 1.0 {
            allowance.suppressed += 1;
            return None;
        }
        allowance.records -= 1.0;
        Some(std::mem::take(&mut allowance.suppressed))
    }

    fn write(&self, level: log::Level, message: &str, fields: &[(String, String)]) {
        let Some(suppressed) = self.admit(Instant::now()) else { return };
        let (component, fields) = (&self.component, Fields(fields));
        macro_rules! write {
            ($level:ident) => {
                tracing::event!(
                    target: "artifact_store::policy_log",
                    tracing::Level::$level,
                    %component,
                    %fields,
                    suppressed,
                    "{message}"
                )
            };
        }
        match level {
            log::Level::Error => write!(ERROR),
            log::Level::Warn => write!(WARN),
            log::Level::Info => write!(INFO),
            log::Level::Debug => write!(DEBUG),
        }
    }
}

/// `name="value"`, with whatever could end a line or a quotation escaped.
struct Fields<'a>(&'a [(String, String)]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.0.iter().take(MAX_FIELDS).enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            let name = cut(name, MAX_FIELD).escape_default();
            write!(f, "{name}={:?}", cut(value, MAX_FIELD))?;
        }
        let more = self.0.len().saturating_sub(MAX_FIELDS);
        if more > 0 {
            write!(f, " … and {more} more")?;
        }
        Ok(())
    }
}

impl log::Host for CallState {
    async fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        if let Some(log) = &self.place.log {
            log.write(level, &crate::convert::printable(message), &fields);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_kept_and_what_it_costs_is_told() {
        let log = Log::new("audit", 2);
        let now = Instant::now();
        assert_eq!([log.admit(now), log.admit(now)], [Some(0), Some(0)]);
        assert_eq!([log.admit(now), log.admit(now)], [None, None]);
        assert_eq!(log.admit(now + Duration::from_millis(500)), Some(2));
        assert_eq!(log.admit(now + Duration::from_millis(500)), None);
    }

    #[test]
    fn no_value_can_end_its_line() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = [field("k\n", "a\" b=\"c\x1b[2J"), field("n", "1")];
        assert_eq!(Fields(&fields).to_string(), r#"k\n="a\" b=\"c\u{1b}[2J" n="1""#);
        let many = vec![field("n", "1"); MAX_FIELDS + 2];
        assert!(Fields(&many).to_string().ends_with("and 2 more"));
    }
}
