//! How the allocator is set up.

/// Buffers up to this size come from the heap. More is not possible: it is half of what glibc
/// reserves for the heap of a thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FROM_HEAP_BYTES: i32 = 32 << 20;

/// What may lie free at a heap's end before it goes back to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: i32 = 64 << 20;

/// Keeps freed memory for the next buffer. glibc gives large buffers back to the system at once and
/// asks for them anew, page by page: a third of the time of statements that read many pages of
/// Parquet and few rows of each. There are as many heaps as cores, since each keeps what it has: with
/// glibc's eight for each core an ingest of ten million events took half as much memory again. Other
/// allocators do well enough of their own accord.
///
/// Source: mallopt(3), `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD` and `M_ARENA_MAX`.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library has no other way to be told")]
pub(super) fn keep_what_is_freed() {
    let n_heaps = std::thread::available_parallelism().map_or(4, std::num::NonZeroUsize::get);
    // SAFETY: mallopt takes two numbers, keeps no pointer and locks what it changes; what it does
    // not accept it leaves as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, FROM_HEAP_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, i32::try_from(n_heaps).unwrap_or(i32::MAX));
    }
}

/// Nothing is to be done.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn keep_what_is_freed() {}
