use wasmtime::{Trap, component::ResourceTableError};

use crate::{
    Error, Limits,
    error::{Blame, ErrorKind},
    limits::Usage,
};

/// What a trap says of the component that it ended: the limit that it went over,
/// with what was allowed and what it asked for, or how it trapped.
///
/// `what` says what came to nothing, where no limit tells more: "trapped".
pub(crate) fn failure(
    name: &str,
    what: &str,
    limits: &Limits,
    usage: &Usage,
    trap: wasmtime::Error,
) -> Error {
    let message = match over_limit(limits, usage, &trap) {
        Some(limit) => format!("{name} went over its limit of {limit}"),
        None => format!("{name} {what}"),
    };
    Error::new(ErrorKind::PolicyFailed, Blame::Policy, message).caused_by(trap)
}

/// The limit that was gone over, with what was allowed and what was asked for.
pub(crate) fn over_limit(limits: &Limits, usage: &Usage, trap: &wasmtime::Error) -> Option<String> {
    let more =
        |limit: &str, allowed: usize| Some(format!("{limit}: allowed {allowed}, asked for more"));
    if let Some(Trap::OutOfFuel) = trap.downcast_ref() {
        return Some(format!("fuel: allowed {}, asked for more", limits.fuel));
    }
    if let Some(ResourceTableError::Full) = trap.downcast_ref() {
        return more("handles", limits.handles);
    }
    if let Some(refusal) = usage.refusal() {
        return Some(refusal);
    }
    // The engine gives these two no type of their own.
    let cause = trap.root_cause().to_string();
    if cause.contains("fuel allocated for hostcalls") {
        return more("bytes handed to the host", limits.hostcall_bytes);
    }
    if cause.contains("store handle limit exceeded") {
        return more("handles", limits.handles);
    }
    None
}
