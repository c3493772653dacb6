use artifact_store::{
    ArtifactStore, Filter, Import, Inspection, Interface, Policy, StoreBuilder, World, s3::MemoryS3,
};
use serde_json::{Value, json};

use crate::{
    args::CheckArgs,
    connect,
    environment::Environment,
    failure::Failure,
    output::{Output, printable},
    settings::{Chain, Settings},
};

/// Shows what a component is, and whether it is granted what it needs.
pub async fn run(
    args: &CheckArgs,
    settings: &Settings,
    env: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let inspection = Inspection::of_file(&args.file).await?;
    let chain = settings.chain.as_ref().map(|chain| &chain.value);
    let store = ArtifactStore::builder().bucket("unused").client(MemoryS3::new());
    // A store component is no policy; a filter stands among policies.
    let Subject { world, configured, granted, store } =
        if inspection.worlds().contains(&World::ContentFilter) {
            Subject::filter(args, chain, store).await?
        } else {
            Subject::policy(args, chain, store).await?
        };
    let mut result = inspection.check(world, &granted).map_err(Failure::from);
    if result.is_ok() {
        let store = store.sandbox(connect::sandbox(settings, env)?);
        result = store.start().await.map(drop).map_err(Failure::from);
    }
    let (inspection, granted) = (&inspection, &*granted);
    let report = Report { inspection, world, granted, configured, fits: result.is_ok() };
    if output.json {
        output.json(&report.json())?;
    } else {
        output.data(&report.text())?;
    }
    // What it is was shown; that it could not be started is told as well.
    result
}

/// A component in the part that it would have in a store, as its entry says or without one.
struct Subject {
    world: World,
    /// Whether the configuration file names it.
    configured: bool,
    granted: Vec<Import>,
    /// A store with it in front, not yet started.
    store: StoreBuilder,
}

impl Subject {
    async fn policy(
        args: &CheckArgs,
        chain: Option<&Chain>,
        store: StoreBuilder,
    ) -> Result<Self, Failure> {
        let entry = chain.map(|chain| chain.policy(&args.file)).transpose()?.flatten();
        let policy = match &entry {
            Some(entry) => entry.load().await?,
            None => Policy::from_file(&args.file).await?,
        };
        let grant = args.grant.amend(policy.granted().clone());
        Ok(Self {
            world: World::Policy,
            configured: entry.is_some(),
            granted: grant.imports(),
            store: store.policy(policy.grant(grant)),
        })
    }

    /// One for each entry that names the file: they can differ in their settings.
    async fn filter(
        args: &CheckArgs,
        chain: Option<&Chain>,
        mut store: StoreBuilder,
    ) -> Result<Self, Failure> {
        let entries = chain.map(|chain| chain.filters(&args.file)).unwrap_or_default();
        for entry in &entries {
            store = store.filter(entry.load().await?);
        }
        if entries.is_empty() {
            store = store.filter(Filter::from_file(&args.file).await?);
        }
        Ok(Self {
            world: World::ContentFilter,
            configured: !entries.is_empty(),
            // Nothing that it could import takes a grant.
            granted: Vec::new(),
            store,
        })
    }
}

struct Report<'a> {
    inspection: &'a Inspection,
    world: World,
    granted: &'a [Import],
    /// Whether the configuration file names it.
    configured: bool,
    /// Whether a store could be started with it.
    fits: bool,
}

impl Report<'_> {
    fn text(&self) -> String {
        let Self { inspection, .. } = self;
        let fixed = [
            ("kind", inspection.kind().as_str().to_owned()),
            ("size", format!("{} bytes", inspection.size())),
            ("sha256", inspection.sha256().to_owned()),
            ("worlds", self.worlds().join(", ")),
        ];
        let imports = inspection.imports().iter().map(|name| ("imports", name.to_string()));
        let exports = inspection.exports().iter().map(|name| ("exports", name.to_string()));
        let needs = inspection.needs().into_iter().map(|import| {
            let granted = if self.is_granted(import) { "granted" } else { "not granted" };
            ("needs", format!("{} ({granted}: `{}`)", import.interface(), import.setting()))
        });
        let table = match self.world {
            World::ContentFilter => "[[filter]]",
            _ => "[[policy]]",
        };
        let entry = if self.configured {
            format!("by the {table} of artifacts.toml that names it")
        } else {
            format!("no {table} of artifacts.toml names it")
        };
        let granted = [("granted", entry)];
        let rows = fixed.into_iter().chain(imports).chain(exports).chain(needs).chain(granted);
        let mut before = "";
        rows.fold(String::new(), |text, (name, value)| {
            // Of several rows of one name the first has it.
            let shown = if name == before { "" } else { name };
            before = name;
            let value = printable(if value.is_empty() { "-" } else { &value });
            text + &format!("{shown:<7}  {value}\n")
        })
    }

    fn json(&self) -> Value {
        let Self { inspection, .. } = self;
        let all = |names: &[Interface]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let needs = inspection.needs().into_iter().map(|import| {
            json!({
                "import": import.interface(),
                "setting": import.setting(),
                "granted": self.is_granted(import),
            })
        });
        json!({
            "kind": inspection.kind().as_str(),
            "size": inspection.size(),
            "sha256": inspection.sha256(),
            "worlds": self.worlds(),
            "imports": all(inspection.imports()),
            "exports": all(inspection.exports()),
            "needs": needs.collect::<Vec<_>>(),
            "configured": self.configured,
            "fits": self.fits,
        })
    }

    fn is_granted(&self, import: Import) -> bool {
        self.granted.contains(&import)
    }

    fn worlds(&self) -> Vec<&'static str> {
        self.inspection.worlds().into_iter().map(World::name).collect()
    }
}
