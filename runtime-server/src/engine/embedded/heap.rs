//! The memory of one VM, watched where it is taken. QuickJS throws `null` when there is not even the memory for an error, and
//! scripts can throw `null` as well: the two are told apart by how much memory the task has used at its peak.

use std::cell::Cell;
use std::rc::Rc;

use rquickjs::allocator::{Allocator, RustAllocator};

/// Share of the limit, in percent, that a task which ran out of memory has used for sure. The rest is what QuickJS adds in
/// thought to each of its objects.
const FULL_PERCENT: usize = 75;

/// What a VM takes of the process.
#[derive(Debug)]
pub(super) struct Heap {
    limit_bytes: usize,
    used_bytes: Cell<usize>,
    peak_bytes: Cell<usize>,
}

impl Heap {
    /// Of a VM whose limit, which QuickJS keeps, is this.
    pub(super) fn new(limit_bytes: usize) -> Rc<Self> {
        Rc::new(Self { limit_bytes, used_bytes: Cell::new(0), peak_bytes: Cell::new(0) })
    }

    /// A task begins.
    pub(super) fn start(&self) {
        self.peak_bytes.set(self.used_bytes.get());
    }

    /// Whether the task may have met the limit.
    pub(super) fn was_full(&self) -> bool {
        self.peak_bytes.get() >= self.limit_bytes / 100 * FULL_PERCENT
    }

    fn count(&self, before: usize, taken: *mut u8) -> *mut u8 {
        if !taken.is_null() {
            let used = self.used_bytes.get() - before + size(taken);
            self.used_bytes.set(used);
            self.peak_bytes.set(self.peak_bytes.get().max(used));
        }
        taken
    }
}

/// The size of what was taken.
fn size(taken: *mut u8) -> usize {
    #[expect(unsafe_code, reason = "QuickJS asks for what it has of this allocator and has not given back")]
    unsafe {
        RustAllocator::usable_size(taken)
    }
}

/// Takes memory of the process for a VM, and counts it.
pub(super) struct Counting(pub(super) Rc<Heap>);

#[expect(unsafe_code, reason = "adds a count to an allocator that keeps the contract")]
unsafe impl Allocator for Counting {
    fn alloc(&mut self, size: usize) -> *mut u8 {
        self.0.count(0, RustAllocator.alloc(size))
    }

    fn calloc(&mut self, count: usize, size: usize) -> *mut u8 {
        self.0.count(0, RustAllocator.calloc(count, size))
    }

    unsafe fn dealloc(&mut self, ptr: *mut u8) {
        self.0.used_bytes.set(self.0.used_bytes.get() - size(ptr));
        // SAFETY: the caller's promise is the same.
        unsafe { RustAllocator.dealloc(ptr) }
    }

    unsafe fn realloc(&mut self, ptr: *mut u8, new_size: usize) -> *mut u8 {
        let before = size(ptr);
        // SAFETY: the caller's promise is the same.
        self.0.count(before, unsafe { RustAllocator.realloc(ptr, new_size) })
    }

    unsafe fn usable_size(ptr: *mut u8) -> usize {
        size(ptr)
    }
}
