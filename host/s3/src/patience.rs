use std::time::Duration;

/// Transfers in parts begin with one part, and have one more under way each time that none
/// has ended for so long, up to as many as they may.
///
/// Where a connection is slow or a service far away, all are there after a few hundredths
/// of a second. Where the processor is what is slow, as over loopback, more connections
/// only take each other's place in its caches: four at once put 1 GiB at 4.5 GB/s, and one
/// at 5.5.
pub(crate) const PATIENCE: Duration = Duration::from_millis(10);
