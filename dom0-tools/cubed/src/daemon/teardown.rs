//! Tearing a domain down: bounded work a step, until the hypervisor says that it is gone.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use crate::domains::Domain;
use abi::command::op;
use std::time::Duration;

/// Commands a step and domain.
const PER_STEP: u32 = 8;
/// Steps that follow each other at once; then the domain waits for something (a vCPU that must
/// leave its CPU), and asking more often only takes its time.
const EAGER: u32 = 4096;
/// The pause between two steps from then on.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// True if the next step of tearing it down should follow at once.
pub(super) fn eager(domain: &Domain) -> bool {
    domain.dying && domain.tries < EAGER
}

impl<H: Hypervisor> Daemon<H> {
    /// Begins.
    pub(super) fn teardown(&mut self, id: u32) {
        if let Some(domain) = self.domains.get_mut(&id) {
            domain.dying = true;
        }
    }

    /// Goes on with all that are being torn down.
    pub(super) fn tear_down(&mut self) {
        let dying: Vec<u32> = self.domains.iter().filter(|(_, d)| d.dying).map(|(id, _)| *id).collect();
        for id in dying {
            if let Some(domain) = self.domains.get_mut(&id) {
                domain.tries = domain.tries.saturating_add(1);
                if domain.tries == EAGER {
                    tracing::warn!(domain = id, "it is not torn down after many tries; trying on, slowly");
                }
            }
            for _ in 0..PER_STEP {
                match self.simple(op::DESTROY, id, []) {
                    Err(Refused::By(abi::Error::Again)) => {}
                    Ok(_) | Err(Refused::By(abi::Error::NotFound)) => {
                        self.gone(id);
                        break;
                    }
                    Err(Refused::Lost(_)) => return,
                    Err(Refused::By(error)) => {
                        tracing::error!(domain = id, error = error.text(), "it cannot be torn down");
                        self.gone(id);
                        break;
                    }
                }
            }
        }
    }
}
