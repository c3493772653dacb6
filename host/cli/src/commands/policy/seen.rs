use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tracing::{Subscriber, field::Field};
use tracing_subscriber::{Layer, filter::filter_fn, layer::Context, registry::LookupSpan};

use crate::commands::recorder::S3Call;

/// What was seen of a call, in the order in which it happened.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<Vec<Event>>>);

/// Something that happened in front of the answer.
#[derive(Debug)]
pub enum Event {
    /// The policy called the next store.
    Asked { operation: String, key: String },
    /// The next store, or the grant, answered the policy with an error.
    Told(String),
    /// The store component called S3.
    S3(S3Call),
    /// The policy wrote a record.
    Logged { level: &'static str, message: String, fields: String, suppressed: u64 },
}

impl Seen {
    pub fn add(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Event {
    pub fn what(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "next store",
            Self::Told(_) => "is told",
            Self::S3(_) => "S3",
            Self::Logged { .. } => "log",
        }
    }

    pub fn text(&self) -> String {
        match self {
            Self::Asked { operation, key } => format!("{operation} {key}").trim_end().to_owned(),
            Self::Told(error) => error.clone(),
            Self::S3(call) => {
                let named = format!("{} {}", call.operation, call.key).trim_end().to_owned();
                let asked = [vec![named], call.options.clone()].concat().join(", ");
                let (Ok(came) | Err(came)) = &call.outcome;
                format!("{asked} -> {came}")
            }
            Self::Logged { level, message, fields, suppressed } => {
                let lost = match suppressed {
                    0 => String::new(),
                    lost => format!(" ({lost} before it were too many)"),
                };
                format!("{level}: {message} {fields}").trim_end().to_owned() + &lost
            }
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Self::Asked { operation, key } => {
                json!({ "next_store": { "operation": operation, "key": key } })
            }
            Self::Told(error) => json!({ "told": error }),
            Self::S3(call) => {
                let (came, error) = (call.outcome.as_ref().ok(), call.outcome.as_ref().err());
                json!({ "s3": {
                    "operation": call.operation, "key": call.key, "options": call.options,
                    "came": came, "error": error,
                } })
            }
            Self::Logged { level, message, fields, suppressed } => json!({ "log": {
                "level": level, "message": message, "fields": fields, "suppressed": suppressed,
            } }),
        }
    }
}

/// Takes what the library tells of a policy's calls and records.
pub struct Capture(Seen);

const NEXT_STORE: &str = "artifact_store::next_store";
const POLICY_LOG: &str = "artifact_store::policy_log";

impl Capture {
    pub fn layer<S>(seen: &Seen) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let told = |metadata: &tracing::Metadata<'_>| {
            metadata.is_event() && [NEXT_STORE, POLICY_LOG].contains(&metadata.target())
        };
        Self(seen.clone()).with_filter(filter_fn(told))
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        self.0.add(match (metadata.target(), fields.0.contains_key("error")) {
            (POLICY_LOG, _) => Event::Logged {
                level: metadata.level().as_str(),
                message: fields.take("message"),
                fields: fields.take("fields"),
                suppressed: fields.take("suppressed").parse().unwrap_or(0),
            },
            (_, true) => Event::Told(fields.take("error")),
            (_, false) => {
                Event::Asked { operation: fields.take("operation"), key: fields.take("key") }
            }
        });
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn take(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }
}

impl tracing::field::Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
