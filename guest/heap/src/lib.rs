//! The allocator of the bundled components: `use artifact_guest_heap as _;`.
//!
//! The standard one asks for a second page of memory at the first allocation. Growing
//! and shrinking a memory are system calls of the host, which a fresh instance would
//! make in each call, and twice the memory has to be zeroed. What one call allocates fits
//! in what the first page has left beside the stack and the data; what does not fit goes to
//! the standard allocator.

#![expect(unsafe_code, reason = "an allocator hands out memory")]
#![cfg_attr(not(any(test, target_family = "wasm")), expect(dead_code, reason = "for components"))]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, UnsafeCell},
};

/// With a stack of 16 KiB and a component's data, within 64 KiB.
const SIZE: usize = 32 << 10;

/// No allocation in it needs more.
const ALIGN: usize = 16;

/// Hands out one piece after the other, and begins again when all have come back.
#[repr(C, align(16))]
struct Heap {
    memory: UnsafeCell<[u8; SIZE]>,
    used: Cell<usize>,
    pieces: Cell<usize>,
}

impl Heap {
    #[expect(clippy::large_stack_arrays, reason = "it is a static's, or a test's")]
    const fn new() -> Self {
        Self { memory: UnsafeCell::new([0; SIZE]), used: Cell::new(0), pieces: Cell::new(0) }
    }

    /// Where in the memory a piece begins; none if it is another allocator's.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        let offset = (piece as usize).wrapping_sub(self.memory.get() as usize);
        (offset < SIZE).then_some(offset)
    }
}

// SAFETY: a component has one thread.
#[cfg(target_family = "wasm")]
unsafe impl Sync for Heap {}

#[cfg(target_family = "wasm")]
#[global_allocator]
static HEAP: Heap = Heap::new();

// SAFETY: pieces lie in the memory, beside each other: `used` is behind the last one that
// is live, and goes back only over one that was given back, or when none is live.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let begin = self.used.get().next_multiple_of(layout.align());
        let end = begin.saturating_add(layout.size());
        if end > SIZE || layout.align() > ALIGN {
            // SAFETY: the caller's promise is passed on.
            return unsafe { System.alloc(layout) };
        }
        self.used.set(end);
        self.pieces.set(self.pieces.get() + 1);
        // SAFETY: `begin` is at most `end`, which is within the memory.
        unsafe { self.memory.get().cast::<u8>().add(begin) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        let Some(begin) = self.offset(piece) else {
            // SAFETY: it is none of ours, so it is the system's.
            return unsafe { System.dealloc(piece, layout) };
        };
        self.pieces.set(self.pieces.get() - 1);
        if self.pieces.get() == 0 {
            self.used.set(0);
        } else if begin + layout.size() == self.used.get() {
            self.used.set(begin);
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(begin) = self.offset(piece) else {
            // SAFETY: it is none of ours, so it is the system's.
            return unsafe { System.realloc(piece, layout, size) };
        };
        let last = begin + layout.size() == self.used.get();
        if last && begin.saturating_add(size) <= SIZE {
            self.used.set(begin + size);
            return piece;
        }
        if size <= layout.size() {
            return piece;
        }
        // SAFETY: the caller's promise: `size` is not 0, and no overflow when rounded up.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(piece, layout.size().min(size));
                self.dealloc(piece, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_lie_apart_and_the_memory_is_whole_again_when_all_are_back() {
        let heap = Heap::new();
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: each piece is used within its size, and given back once, as it was made.
        unsafe {
            let one = heap.alloc(layout(5));
            let two = heap.alloc(layout(8));
            assert_eq!((heap.offset(one), heap.offset(two)), (Some(0), Some(8)));
            one.write_bytes(1, 5);
            two.write_bytes(2, 8);
            // In place, as it is the last; elsewhere, as it is not.
            assert_eq!(heap.realloc(two, layout(8), 16), two);
            assert_eq!(heap.realloc(one, layout(5), 4), one);
            let moved = heap.realloc(one, layout(4), 9);
            assert_eq!(heap.offset(moved), Some(24));
            assert_eq!(std::slice::from_raw_parts(moved, 4), [1; 4]);
            let large = heap.alloc(layout(SIZE));
            assert_eq!(heap.offset(large), None);
            let large = heap.realloc(large, layout(SIZE), 2 * SIZE);
            heap.dealloc(large, layout(2 * SIZE));
            let outgrown = heap.realloc(moved, layout(9), SIZE);
            assert_eq!(heap.offset(outgrown), None);
            heap.dealloc(outgrown, layout(SIZE));
            assert_eq!(heap.used.get(), 24);
            heap.dealloc(two, layout(16));
            assert_eq!((heap.used.get(), heap.pieces.get()), (0, 0));
        }
    }
}
