use std::path::Path;

use artifact_store::{Import, Inspection, Interface, PolicyGrant, World};
use serde_json::{Value, json};

use crate::{
    args::CheckArgs,
    failure::Failure,
    output::{Output, printable},
    settings::{PolicyEntry, Settings},
};

/// Shows what a component is, and whether it is granted what it needs.
pub async fn run(args: &CheckArgs, settings: &Settings, output: &Output) -> Result<(), Failure> {
    let inspection = Inspection::of_file(&args.file).await?;
    let entry = settings.policies.iter().flat_map(|policies| &policies.value.0);
    let entry = entry.into_iter().find(|entry| names(entry, &args.file));
    let grant = entry.map_or_else(PolicyGrant::none, |entry| entry.amend(PolicyGrant::none()));
    let grant = args.grant.amend(grant);
    let granted = grant.imports();
    let report = Report { inspection: &inspection, granted: &granted, entry: entry.is_some() };
    if output.json {
        output.json(&report.json())?;
    } else {
        output.data(&report.text())?;
    }
    // What it is was shown; that it could not be started is told as well.
    Ok(report.check()?)
}

/// Whether the entry is of this very file, by whatever path.
fn names(entry: &PolicyEntry, file: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().ok();
    entry.file.as_deref().and_then(canonical).is_some_and(|path| Some(path) == canonical(file))
}

struct Report<'a> {
    inspection: &'a Inspection,
    granted: &'a [Import],
    /// Whether the configuration file names it.
    entry: bool,
}

impl Report<'_> {
    fn check(&self) -> Result<(), artifact_store::Error> {
        let Self { inspection, granted, .. } = self;
        // A store component is no policy; a filter stands among them.
        if inspection.worlds().contains(&World::ContentFilter) {
            inspection.check(World::ContentFilter, &[])
        } else {
            inspection.check(World::Policy, granted)
        }
    }

    fn text(&self) -> String {
        let Self { inspection, .. } = self;
        let fixed = [
            ("kind", inspection.kind().as_str().to_owned()),
            ("size", format!("{} bytes", inspection.size())),
            ("sha256", self.sha256()),
            ("worlds", self.worlds().join(", ")),
        ];
        let imports = inspection.imports().iter().map(|name| ("imports", name.to_string()));
        let exports = inspection.exports().iter().map(|name| ("exports", name.to_string()));
        let needs = inspection.needs().into_iter().map(|import| {
            let granted = if self.is_granted(import) { "granted" } else { "not granted" };
            ("needs", format!("{} ({granted}: `{}`)", import.interface(), import.setting()))
        });
        let entry = match self.entry {
            true => "by its [[policy]] in artifacts.toml",
            false => "nothing: no [[policy]] in artifacts.toml names it",
        };
        let granted = [("granted", entry.to_owned())];
        let rows = fixed.into_iter().chain(imports).chain(exports).chain(needs).chain(granted);
        let mut before = "";
        rows.map(|(name, value)| {
            // Of several rows of one name the first has it.
            let shown = if name == before { "" } else { name };
            before = name;
            format!("{shown:<7}  {}\n", printable(if value.is_empty() { "-" } else { &value }))
        })
        .collect()
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
            "sha256": self.sha256(),
            "worlds": self.worlds(),
            "imports": all(inspection.imports()),
            "exports": all(inspection.exports()),
            "needs": needs.collect::<Vec<_>>(),
            "configured": self.entry,
            "fits": self.check().is_ok(),
        })
    }

    fn is_granted(&self, import: Import) -> bool {
        self.granted.contains(&import)
    }

    fn worlds(&self) -> Vec<&'static str> {
        self.inspection.worlds().into_iter().map(World::name).collect()
    }

    fn sha256(&self) -> String {
        self.inspection.sha256().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
