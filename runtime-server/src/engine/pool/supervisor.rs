//! Looks at the VMs from outside: answers calls whose time is up, and replaces a VM that no interrupt reaches: native code
//! asks nobody how long it may take, and a process may be stopped.

use std::sync::Weak;
use std::time::Duration;

use super::Pool;

/// Starts the thread; it ends when the pool is gone.
pub(super) fn start(pool: Weak<Pool>, grace: Duration) -> std::io::Result<()> {
    let pause = (grace / 8).clamp(Duration::from_millis(5), Duration::from_millis(250));
    std::thread::Builder::new().name("ss-engine-watch".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(pause);
            let Some(pool) = pool.upgrade() else { return };
            if pool.is_closed() {
                return;
            }
            pool.replace_stuck();
            pool.expire();
        }
    })?;
    Ok(())
}
