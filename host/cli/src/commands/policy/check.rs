use artifact_store::{
    ArtifactStore, Filter, Import, Inspection, Interface, Policy, World, s3::MemoryS3,
};
use serde_json::{Value, json};

use crate::{
    args::CheckArgs,
    connect,
    environment::Environment,
    failure::Failure,
    output::{Output, printable},
    settings::Settings,
};

/// Shows what a component is, and whether it is granted what it needs.
pub async fn run(
    args: &CheckArgs,
    settings: &Settings,
    env: &Environment,
    output: &Output,
) -> Result<(), Failure> {
    let inspection = Inspection::of_file(&args.file).await?;
    let entry = match &settings.chain {
        Some(chain) => chain.value.policy(&args.file)?,
        None => None,
    };
    let policy = match &entry {
        Some(entry) => entry.load().await?,
        None => Policy::from_file(&args.file).await?,
    };
    let grant = args.grant.amend(policy.granted().clone());
    let granted = grant.imports();
    // A store component is no policy; a filter stands among policies.
    let is_filter = inspection.worlds().contains(&World::ContentFilter);
    let world = if is_filter { World::ContentFilter } else { World::Policy };
    let mut result = inspection.check(world, &granted).map_err(Failure::from);
    if result.is_ok() {
        let store = ArtifactStore::builder().bucket("unused").client(MemoryS3::new());
        let store = store.sandbox(connect::sandbox(settings, env)?);
        let store = if is_filter {
            store.filter(Filter::from_file(&args.file).await?)
        } else {
            store.policy(policy.grant(grant))
        };
        result = store.start().await.map(drop).map_err(Failure::from);
    }
    let (inspection, granted) = (&inspection, &*granted);
    let report = Report { inspection, granted, configured: entry.is_some(), fits: result.is_ok() };
    if output.json {
        output.json(&report.json())?;
    } else {
        output.data(&report.text())?;
    }
    // What it is was shown; that it could not be started is told as well.
    result
}

struct Report<'a> {
    inspection: &'a Inspection,
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
        let entry = if self.configured {
            "by the [[policy]] of artifacts.toml that names it"
        } else {
            "no [[policy]] of artifacts.toml names it"
        };
        let granted = [("granted", entry.to_owned())];
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
