//! The runtime of an app: loads a build, serves its pages and assets, runs its actions, keeps its sessions,
//! channels and presence. It knows nothing of the compiler.

mod acme;
pub mod actions;
mod api;
mod app;
mod assets;
pub mod backplane;
mod calls;
pub mod clock;
pub mod config;
mod connection;
mod cookie;
pub mod engine;
mod follow;
pub mod front;
mod generation;
pub mod hex;
mod host;
mod http;
mod hub;
pub mod limits;
pub mod load;
pub mod log;
pub mod manifest;
pub mod nearest;
mod negotiate;
mod origin;
mod pages;
mod peer;
mod presence;
pub mod protocol;
mod pubsub;
mod random;
mod rate;
mod redirect;
pub mod rollback;
pub mod serve;
pub mod server;
mod session;
pub mod settings;
mod skew;
mod stream;
mod swap;
pub mod tls;

pub use pages::PolicyError;
pub use session::StoreError;
