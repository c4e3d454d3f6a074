//! The compiler: an app's folder in, one build out.

pub mod api_tree;
pub mod asset;
pub mod build;
pub mod bundle;
pub mod cache;
pub mod check;
mod child;
pub mod compress;
pub mod config;
mod defines;
pub mod disk;
pub mod graph;
pub mod half;
pub mod link;
pub mod new;
pub mod order;
pub mod output;
pub mod pages;
pub mod pipeline;
pub mod preprocess;
pub mod project;
pub mod public;
pub mod remembered;
pub mod report;
pub mod resolve;
pub mod runtime_client;
pub mod scripts;
pub mod session;
pub mod sheets;
pub mod style;
pub mod trees;
pub mod types;
mod unchanged;
pub mod view;
pub mod zone;

pub use ssbuild_server::nearest;
