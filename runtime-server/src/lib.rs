//! The runtime of an app: loads a build, serves its pages and assets, runs its actions, keeps its sessions,
//! channels and presence. It knows nothing of the compiler.

pub mod config;
pub mod engine;
pub mod limits;
pub mod manifest;
