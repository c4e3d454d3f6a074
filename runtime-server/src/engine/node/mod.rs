//! The second carrier: worker processes of Node.js. Each is looked after by the thread that started it, and joined to it
//! by a socket that is its standard input, on which a task carries messages.

mod carrier;
mod door;
mod find;
mod link;
mod process;
mod worker;

pub(in crate::engine) use find::check;
pub(in crate::engine) use worker::Worker;
