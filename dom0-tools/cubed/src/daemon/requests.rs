//! Clients' requests.

use super::create::Creation;
use super::wait::{For, Waiter};
use super::{Client, Daemon, Reply};
use crate::channel::Hypervisor;
use abi::command::op;
use abi::domain::{DomainFlags, state};
use protocol::{Call, ErrorCode, Failure, Payload, Reconcile, Request, Response, State};
use std::time::{Duration, Instant};

/// How long `stop` waits unless told otherwise.
const STOP_TIMEOUT: u64 = 30_000;

impl<H: Hypervisor> Daemon<H> {
    /// Answers a call, or takes it on.
    pub fn request(&mut self, client: Client, call: Call, now: Instant) -> Reply {
        self.set_now(now);
        if call.version != protocol::VERSION && call.request != Request::Version {
            let message =
                format!("the client speaks version {}, this cubed version {}", call.version, protocol::VERSION);
            let hint = "install cube and cubed of one build; if they are, start cubed again";
            return Reply::Now(Failure::new(ErrorCode::VersionMismatch, message, hint).into());
        }
        self.dispatch(client, call.request).unwrap_or_else(|failure| Reply::Now(failure.into()))
    }

    fn dispatch(&mut self, client: Client, request: Request) -> Result<Reply, Failure> {
        let payload = match request {
            Request::Version => Payload::Version(self.versions()),
            Request::Host => Payload::Host((&self.host_info()?).into()),
            Request::Store => Payload::Store(self.disks.store_info()?),
            Request::List => Payload::Domains { domains: self.list()? },
            Request::Show { name } => Payload::Domain(Box::new(self.show_any(&name)?)),
            Request::Stats { name } => self.all_stats(name.as_deref())?,
            Request::Create { source, paused } => {
                self.creations.push(Creation::new(client, source, paused, self.now));
                (self.wake)();
                return Ok(Reply::Later);
            }
            Request::Start { name } => {
                self.change(&name, op::START, &[state::BUILDING], "not waiting to be started")?
            }
            Request::Pause { name } => self.change(&name, op::PAUSE, &[state::RUNNING], "not running")?,
            Request::Resume { name } => self.change(&name, op::START, &[state::PAUSED], "not paused")?,
            Request::Kill { name } => {
                let id = match self.find(&name) {
                    Err(_) if self.call_off(&name) => return Ok(Reply::Now(Payload::Done.into())),
                    found => found?,
                };
                self.kill(id);
                self.waiters.push(Waiter { client, domain: id, what: For::Gone, deadline: None });
                (self.wake)();
                return Ok(Reply::Later);
            }
            Request::Stop { name, timeout_ms, force } => return self.stop(client, &name, timeout_ms, force),
            Request::Wait { name, timeout_ms } => return self.wait(client, &name, timeout_ms),
            Request::Console { name, history, history_only } => return self.console(&name, history, history_only),
            Request::SetLimit { name, bytes } => self.set_limit(&name, bytes)?,
            Request::SetBalloon { name, bytes } => self.set_balloon(&name, bytes)?,
            Request::SetReconcile { name, r1, r2, r3 } => Payload::Reconcile(self.reconcile(&name, r1, r2, r3)?),
            Request::Log { cursor, follow } => return self.log(cursor, follow),
            Request::Shutdown => return Ok(Reply::Shutdown(Payload::Done.into())),
            _ => {
                let message = "this cubed does not know the request";
                return Err(Failure::new(ErrorCode::Unsupported, message, "install the tools of one build"));
            }
        };
        Ok(Reply::Now(payload.into()))
    }

    fn show_any(&mut self, name: &str) -> Result<protocol::Domain, Failure> {
        match self.find(name) {
            Ok(id) => self.show(id),
            Err(failure) => self.ends.find(name).map(|end| end.domain.clone()).ok_or(failure),
        }
    }

    fn all_stats(&mut self, name: Option<&str>) -> Result<Payload, Failure> {
        let ids = match name {
            Some(name) => match self.find(name) {
                Ok(id) => vec![id],
                Err(failure) => {
                    let last = self.ends.find(name).and_then(|end| end.stats.clone()).ok_or(failure)?;
                    return Ok(Payload::Stats { stats: vec![last] });
                }
            },
            None => self.domains.keys().copied().collect(),
        };
        let stats = ids.into_iter().map(|id| self.stats(id)).collect::<Result<_, _>>()?;
        Ok(Payload::Stats { stats })
    }

    fn change(&mut self, name: &str, code: u32, from: &[u32], otherwise: &str) -> Result<Payload, Failure> {
        let id = self.find(name)?;
        let built = self.domains.get(&id).is_some_and(|domain| domain.record.built);
        let now = self.info(id)?.state;
        if !from.contains(&now) || !built {
            return Err(wrong_state(name, now, otherwise));
        }
        if code == op::START
            && let Some(domain) = self.domains.get_mut(&id)
            && domain.record.paused
        {
            domain.record.paused = false;
            self.save(id);
        }
        self.simple(code, id, [])?;
        Ok(Payload::Done)
    }

    fn stop(&mut self, client: Client, name: &str, timeout_ms: Option<u64>, force: bool) -> Result<Reply, Failure> {
        let id = self.find(name)?;
        let now = self.info(id)?.state;
        if now == state::RUNNING {
            self.simple(op::POWER_BUTTON, id, [])?;
        } else if self.domains.get(&id).is_some_and(|domain| domain.ended) {
            self.kill(id);
        } else if !force {
            return Err(wrong_state(name, now, "not running, so it cannot power off by itself"));
        }
        let deadline = Some(self.now + Duration::from_millis(timeout_ms.unwrap_or(STOP_TIMEOUT)));
        self.waiters.push(Waiter { client, domain: id, what: For::Stop { force }, deadline });
        Ok(Reply::Later)
    }

    fn wait(&mut self, client: Client, name: &str, timeout_ms: Option<u64>) -> Result<Reply, Failure> {
        let ended = |end: &crate::domains::End| {
            let (reason, detail) = end.why();
            let payload = Payload::Ended { id: end.id(), name: end.name().to_owned(), reason, detail };
            Reply::Now(payload.into())
        };
        match self.find(name) {
            Err(failure) => self.ends.find(name).map(ended).ok_or(failure),
            Ok(id) => {
                let kept = self.domains.get(&id).is_some_and(|domain| domain.ended && !domain.dying);
                if kept && let Some(end) = self.ends.find(&id.to_string()) {
                    return Ok(ended(end));
                }
                let deadline = timeout_ms.map(|ms| self.now + Duration::from_millis(ms));
                self.waiters.push(Waiter { client, domain: id, what: For::End, deadline });
                Ok(Reply::Later)
            }
        }
    }

    fn console(&mut self, name: &str, history: Option<u64>, history_only: bool) -> Result<Reply, Failure> {
        let name = match self.find(name) {
            Ok(id) => self.domains.get(&id).map(|domain| domain.record.name.clone()).unwrap_or_default(),
            Err(failure) => self.ends.find(name).map(|end| end.name().to_owned()).ok_or(failure)?,
        };
        let console: &crate::devices::Console = self.consoles.open_history(&name);
        let kept = console.history();
        let from = history.map_or(kept.start(), |bytes| kept.end().saturating_sub(bytes).max(kept.start()));
        let payload = Payload::Console { name: name.clone(), history: kept.end() - from };
        Ok(Reply::Console { response: payload.into(), name, from, history_only })
    }

    fn reconcile(
        &mut self,
        name: &str,
        r1: Option<bool>,
        r2: Option<bool>,
        r3: Option<bool>,
    ) -> Result<Reconcile, Failure> {
        let id = self.find(name)?;
        let old = Reconcile::from(DomainFlags::from_bits_truncate(self.info(id)?.flags));
        let new = Reconcile { r1: r1.unwrap_or(old.r1), r2: r2.unwrap_or(old.r2), r3: r3.unwrap_or(old.r3) };
        self.simple(op::SET_FLAGS, id, [DomainFlags::from(new).bits()])?;
        self.disks.set_switches(id, new);
        Ok(new)
    }

    fn log(&mut self, cursor: Option<u64>, follow: bool) -> Result<Reply, Failure> {
        let (payload, cursor) = self.read_log(cursor.unwrap_or(0))?;
        let response = Response::from(payload);
        Ok(if follow { Reply::Follow { response, cursor } } else { Reply::Now(response) })
    }
}

fn wrong_state(name: &str, now: u32, otherwise: &str) -> Failure {
    let state = match State::from_abi(now) {
        State::Building => "being built or waiting to be started",
        State::Running => "running",
        State::Paused => "paused",
        State::Ended => "ended",
        State::Dying => "being torn down",
    };
    let message = format!("the domain {name} is {otherwise}: it is {state}");
    Failure::new(ErrorCode::WrongState, message, format!("`cube show {name}` tells its state"))
}
