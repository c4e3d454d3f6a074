//! The lists of what must not get through: origins, names of actions, guards, paths, requests within requests.

mod guards;
mod names;
mod origins;
mod paths;
mod session_ids;
mod smuggling;
