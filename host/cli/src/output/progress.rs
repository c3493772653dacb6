use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use super::{Output, printable};

/// A transfer that ends sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

const KNOWN: &str = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const UNKNOWN: &str = "{msg} {spinner} {bytes} {bytes_per_sec}";

/// A progress bar on standard error, if somebody is there to see it.
///
/// It goes away when it is dropped, whatever the outcome.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    appears: Option<JoinHandle<()>>,
}

impl Progress {
    pub fn start(output: &Output, what: &str, length: Option<u64>) -> Self {
        let bar = ProgressBar::hidden();
        if output.quiet || output.json || !output.stderr_is_terminal {
            return Self { bar, appears: None };
        }
        style(&bar, length);
        bar.set_message(printable(what));
        let later = bar.clone();
        let appears = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            later.set_draw_target(ProgressDrawTarget::stderr());
            later.enable_steady_tick(Duration::from_millis(100));
        });
        Self { bar, appears: Some(appears) }
    }

    /// Says how many bytes have passed.
    pub fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    /// The same, for whoever learns on the way how many there are.
    pub fn observer_of_all(&self) -> impl Fn(u64, Option<u64>) + Send + Sync + use<> {
        let bar = self.bar.clone();
        move |position, length| {
            if bar.length() != length {
                style(&bar, length);
            }
            bar.set_position(position);
        }
    }

    /// The same, for whoever reads the bytes elsewhere.
    pub fn observer(&self) -> impl Fn(u64) + Send + Sync + use<> {
        let bar = self.bar.clone();
        move |position| bar.set_position(position)
    }
}

/// What the bar shows of bytes of which there are so many.
fn style(bar: &ProgressBar, length: Option<u64>) {
    if let Some(length) = length {
        bar.set_length(length);
    }
    let template = if length.is_some() { KNOWN } else { UNKNOWN };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(appears) = &self.appears {
            appears.abort();
        }
        self.bar.finish_and_clear();
    }
}
