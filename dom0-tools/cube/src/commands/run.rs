//! Which command does what.

use super::{check, console, create, doctor, host, life, list, log, memory, show, stats, store};
use crate::args::{Args, Command, Mem, Switch};
use crate::client::{Client, Result};
use crate::output::Output;
use clap::CommandFactory;
use protocol::{Exit, Request};

/// Runs the command.
///
/// # Errors
/// To be told on standard error.
pub fn run(args: &Args, out: &mut Output) -> Result<Exit> {
    let client = || Client::connect(&args.socket);
    match &args.command {
        Command::Check { files, no_files } => return Ok(check::check(out, files, !no_files)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "cube", &mut script);
            out.raw(&script);
        }
        Command::Doctor => return Ok(doctor::doctor(out, &args.socket)),
        Command::Version => host::version(out, &args.socket)?,
        Command::Create { paused, file } => create::create(out, client, file, *paused)?,
        Command::Start(name) => life::act(out, client()?, Request::Start { name: name.name.clone() })?,
        Command::Kill(name) => life::act(out, client()?, Request::Kill { name: name.name.clone() })?,
        Command::Pause(name) => life::act(out, client()?, Request::Pause { name: name.name.clone() })?,
        Command::Resume(name) => life::act(out, client()?, Request::Resume { name: name.name.clone() })?,
        Command::ShutdownDaemon => life::act(out, client()?, Request::Shutdown)?,
        Command::Stop { name, force, timeout } => {
            let timeout_ms = Some(timeout.saturating_mul(1000));
            return life::until_ended(
                out,
                client()?,
                Request::Stop { name: name.name.clone(), timeout_ms, force: *force },
            );
        }
        Command::Wait { name, timeout } => {
            let timeout_ms = timeout.map(|seconds| seconds.saturating_mul(1000));
            return life::until_ended(out, client()?, Request::Wait { name: name.name.clone(), timeout_ms });
        }
        Command::List => list::list(out, client()?)?,
        Command::Show(name) => show::show(out, client()?, &name.name)?,
        Command::Console { name, replay, history } => console::console(out, client()?, &name.name, *replay, *history)?,
        Command::Stats { name, watch } => stats::stats(out, client()?, name.as_deref(), *watch)?,
        Command::Mem { command: Mem::Show { name } } => memory::show(out, client()?, name.as_deref())?,
        Command::Mem { command: Mem::Limit { name, size } } => {
            life::act(out, client()?, Request::SetLimit { name: name.name.clone(), bytes: *size })?;
        }
        Command::Mem { command: Mem::Balloon { name, size } } => {
            life::act(out, client()?, Request::SetBalloon { name: name.name.clone(), bytes: *size })?;
        }
        Command::Reconcile { name, r1, r2, r3 } => {
            memory::reconcile(out, client()?, &name.name, [*r1, *r2, *r3].map(|switch| switch.map(Switch::is_on)))?;
        }
        Command::Store => store::store(out, client()?)?,
        Command::Dmesg { follow } => log::dmesg(out, client()?, *follow)?,
        Command::Info => host::info(out, client()?)?,
    }
    Ok(Exit::Ok)
}
