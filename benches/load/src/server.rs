use std::fs;
use std::io;

/// The processes of a server, as the kernel accounts for them.
pub(crate) struct Server {
    pid: u32,
}

impl Server {
    pub(crate) fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// Time that all its threads have had a processor, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> io::Result<u64> {
        let mut sum = 0;
        for pid in self.processes()? {
            for task in tasks(pid)? {
                // A thread may end meanwhile.
                let stat = fs::read_to_string(format!("/proc/{pid}/task/{task}/schedstat")).unwrap_or_default();
                sum += stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
            }
        }
        Ok(sum)
    }

    /// Its memory, what it shares with others in proportion, in bytes.
    pub(crate) fn memory_bytes(&self) -> io::Result<u64> {
        let mut sum = 0;
        for pid in self.processes()? {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
            sum += pss.trim().trim_end_matches(" kB").parse::<u64>().map_err(io::Error::other)? * 1024;
        }
        Ok(sum)
    }

    /// It and all that it has started.
    fn processes(&self) -> io::Result<Vec<u32>> {
        let mut found = vec![self.pid];
        let mut next = 0;
        while let Some(pid) = found.get(next).copied() {
            next += 1;
            for task in tasks(pid)? {
                let children = fs::read_to_string(format!("/proc/{pid}/task/{task}/children")).unwrap_or_default();
                found.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
        }
        Ok(found)
    }
}

fn tasks(pid: u32) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"))?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
