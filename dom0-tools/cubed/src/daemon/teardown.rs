//! Tearing a domain down: bounded work a step, until the hypervisor says that it is gone.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use abi::command::op;

/// Commands a step and domain.
const PER_STEP: u32 = 8;

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
