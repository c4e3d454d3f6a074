//! The embedded carrier: QuickJS-NG in this process, one operating-system thread a VM, so that JavaScript never runs
//! where sockets are served.

mod bridge;
mod fetch;
pub(crate) mod functions;
mod heap;
mod load;
mod timers;
mod vm;
mod watchdog;
pub(crate) mod web;

pub(in crate::engine) use vm::Vm;
