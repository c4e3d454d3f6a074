//! The server from outside: real sockets and requests against a server on a free port, with scripted actions where the
//! engine is not what is asked about, and a clock that is turned by hand.

mod admin;
mod api;
mod browsers;
mod calls;
mod cluster;
mod console;
mod endurance;
mod engines;
mod golden;
mod limit_cases;
mod limits;
mod load;
mod login;
mod nginx;
mod origin;
mod pages;
mod process;
mod recovery;
mod redis;
mod security;
mod sessions;
mod shutdown;
mod skew;
mod streams;
mod stress;
mod support;
mod swap;
mod tls;
mod wire;
