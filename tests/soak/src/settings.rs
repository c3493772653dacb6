use std::time::Duration;

/// How long, and with which random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long operations are begun.
    pub duration: Duration,
    /// What all random numbers begin with. The same seed gives the same operations of
    /// each task; how tasks interleave is the machine's affair.
    pub seed: u64,
    /// Tasks side by side.
    pub tasks: u32,
    /// One exchange in so many has its connection broken.
    pub break_one_in: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { duration: Duration::from_mins(2), seed: 1, tasks: 12, break_one_in: 10 }
    }
}
