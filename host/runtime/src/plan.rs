use std::{fmt, sync::Arc};

use artifact_s3::S3Client;
use wasmtime_wasi_config::WasiConfigVariables;

use crate::{
    Error, Filter, OnFailure, Policy, Sandbox, StoreComponent, Supervision,
    coder::PreparedFilter,
    component::Prepared,
    grant::Grant,
    layer::{Beneath, Layer, Place},
    link::{Link, links},
    supervisor::Supervisor,
};

/// What a store's chain is made of: all that it takes to build it, and to build it
/// again when a file has changed.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) grant: Arc<Grant>,
    pub(crate) client: Arc<dyn S3Client>,
    pub(crate) sandbox: Sandbox,
    pub(crate) component: StoreComponent,
    /// What the store component reads.
    pub(crate) settings: Arc<WasiConfigVariables>,
    /// In the order in which a put meets them.
    pub(crate) added: Vec<Added>,
    pub(crate) supervision: Supervision,
    pub(crate) ready: Option<Prepared>,
}

/// A policy or a filter, and what was made of it when it was last looked at.
#[derive(Clone)]
pub(crate) enum Added {
    Policy(Policy, Option<(Prepared, Arc<Supervisor>)>),
    Filter(Filter, Option<(PreparedFilter, Arc<Supervisor>)>),
}

impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy(policy, _) => policy.fmt(f),
            Self::Filter(filter, _) => filter.fmt(f),
        }
    }
}

/// A chain that calls go through.
pub(crate) struct Chain {
    pub(crate) top: Arc<dyn Link>,
    /// Instances that one call takes.
    pub(crate) depth: u32,
}

impl Plan {
    /// Compiles what is not compiled yet, links all of it, and tries each link out.
    pub(crate) async fn build(&mut self) -> Result<Chain, Error> {
        let sandbox = &self.sandbox;
        let component = match &self.ready {
            Some(ready) => ready.clone(),
            None => self.ready.insert(self.component.prepare(sandbox).await?).clone(),
        };
        let mut top: Arc<dyn Link> = Arc::new(Layer {
            place: Arc::new(Place {
                name: "the component".into(),
                settings: Arc::clone(&self.settings),
                log: None,
                beneath: Beneath::S3 {
                    grant: Arc::clone(&self.grant),
                    client: Arc::clone(&self.client),
                },
            }),
            sandbox: sandbox.clone(),
            limits: sandbox.limits().clone(),
            component,
            supervisor: None,
            on_failure: OnFailure::Closed,
        });
        let watch = |name: &str| Arc::new(Supervisor::new(name, self.supervision.clone()));
        for added in self.added.iter_mut().rev() {
            top =
                match added {
                    Added::Policy(policy, ready) => {
                        let ready = match ready {
                            Some(ready) => ready,
                            None => ready
                                .insert((policy.prepare(sandbox).await?, watch(&policy.called()))),
                        };
                        policy.in_front_of(top, sandbox, ready.clone())
                    }
                    Added::Filter(filter, ready) => {
                        let ready = match ready {
                            Some(ready) => ready,
                            None => ready
                                .insert((filter.prepare(sandbox).await?, watch(&filter.called()))),
                        };
                        filter.in_front_of(top, sandbox, ready.clone())
                    }
                };
        }
        let depth = u32::try_from(links(&*top).count()).unwrap_or(u32::MAX);
        let most = sandbox.limits().concurrent_calls;
        if depth > most {
            return Err(Error::config(format!(
                "one call takes {depth} instances, and the sandbox has room for {most}"
            )));
        }
        let _room = sandbox.room_for(1).await?;
        for link in links(&*top) {
            link.try_out().await?;
        }
        Ok(Chain { top, depth })
    }

    /// Reads again what came from a file. Gives the names of those that changed.
    pub(crate) async fn read_again(&mut self) -> Result<Vec<String>, Error> {
        let mut changed = Vec::new();
        if self.component.read_again().await? {
            self.ready = None;
            changed.push("the component".to_owned());
        }
        for added in &mut self.added {
            let (source, name) = match added {
                Added::Policy(policy, _) => (&mut policy.source, policy.name.clone()),
                Added::Filter(filter, _) => (&mut filter.source, filter.name.clone()),
            };
            if !source.read_again().await? {
                continue;
            }
            match added {
                Added::Policy(_, ready) => *ready = None,
                Added::Filter(_, ready) => *ready = None,
            }
            changed.push(name.unwrap_or_else(|| "unnamed".to_owned()));
        }
        Ok(changed)
    }
}
