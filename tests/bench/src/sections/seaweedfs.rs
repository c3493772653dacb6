//! What is measured over `SeaweedFS`, to be looked at: there are no bars.

use super::Setting;
use crate::{
    clients::{Contender, Service},
    report::Report,
    server::Server,
};

/// Has all clients measured there that sign; it answers nothing else.
pub(super) fn measure(
    setting: Setting,
    report: &mut Report,
    measure: impl FnOnce(&Service, &[Contender], &mut Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if !setting.with_seaweedfs {
        return Ok(());
    }
    report.part("Over SeaweedFS");
    match Server::seaweedfs() {
        Ok(server) => {
            report.text(
                "As a user would have it, on any core, on the same machine: most of what a call \
                 takes is the server's.",
            );
            let signed = Contender::ALL.into_iter().filter(|one| *one != Contender::Bare);
            measure(&server.service, &signed.collect::<Vec<_>>(), report)
        }
        Err(error) => {
            report.text(&format!("Skipped: it cannot be had here ({error:#})."));
            Ok(())
        }
    }
}
