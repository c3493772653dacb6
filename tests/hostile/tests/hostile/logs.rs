//! Policies that make much of the imports that each take a grant.

use std::sync::{Arc, Mutex};

use artifact_s3::MemoryS3;
use artifact_store::{
    Operation::{Head, Put},
    PolicyGrant,
};
use insta::assert_snapshot;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use crate::support::{behind, builder, grant, wat_policy};

/// Keeps the records of policies.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if event.metadata().target() == "artifact_store::policy_log" {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }
}

#[tokio::test]
async fn a_flood_of_records() {
    let records = Records::default();
    let _guard =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(records.clone()));
    let policy = wat_policy("log-flood").grant(PolicyGrant::all().log(5));
    let store = builder(&MemoryS3::new()).policy(policy).start().await.unwrap();
    store.put("mine/k", "v").await.unwrap();
    store.head("mine/k").await.unwrap();
    let records = records.0.lock().unwrap();
    // Five at once, and what little time the flood takes gives a few more.
    assert!((5..100).contains(&records.len()), "{}", records.len());
    assert_snapshot!(records[0], @r"
    look: �[2J��ERROR the disk is full
    ");
}

#[tokio::test]
async fn a_record_of_many_fields() {
    let policy = wat_policy("log-of-fields").grant(grant().log(5));
    let told = behind(policy).await.unwrap().told(Head).await;
    assert_snapshot!(told, @r#"
    head mine/k: the policy "tenant" went over its limit of bytes handed to the host: allowed 4194304, asked for more
    policy-failed, blame: Policy, do not try again
    cause: too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted
    "#);
}

#[tokio::test]
async fn digests_in_a_loop() {
    let policy = wat_policy("digest-loop").grant(grant().digest(true));
    let told = behind(policy).await.unwrap().told(Put).await;
    assert_snapshot!(told, @r#"
    put mine/k: the policy "tenant" went over its limit of calls of the next store: allowed 8, asked for 9
    policy-failed, blame: Policy, do not try again
    cause: too many calls
    "#);
}
