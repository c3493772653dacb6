//! Runs a soak, and prints what it did. `SOAK_SECONDS` and `SOAK_SEED` say how long (120
//! seconds) and with which random numbers (others each time).

use std::{env, error::Error, io::Write, process::ExitCode, time::Duration};

use artifact_soak::Settings;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let mut settings = Settings { seed: fastrand::u64(..1_000_000_000), ..Settings::default() };
    if let Some(seconds) = number("SOAK_SECONDS")? {
        settings.duration = Duration::from_secs(seconds);
    }
    if let Some(seed) = number("SOAK_SEED")? {
        settings.seed = seed;
    }
    let mut out = std::io::stdout();
    let (seed, seconds) = (settings.seed, settings.duration.as_secs());
    writeln!(out, "soak: seed {seed}, for {seconds} seconds")?;
    let report = artifact_soak::run(settings).await?;
    writeln!(out, "{report}")?;
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    let Some(text) = env::var_os(variable) else {
        return Ok(None);
    };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| format!("{variable} must be a whole number"))
}
