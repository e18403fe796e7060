//! dome's plugin ABI 1.0, as far as an adapter needs it: the C headers (dome/adapter.h and what it includes) in Rust.
//! The layouts are frozen; the headers say what each function may do, on which thread, and who owns what.

use std::os::raw::{c_char, c_void};

pub type Status = i32;
pub const OK: Status = 0;
pub const INVALID: Status = 1;
pub const UNAVAILABLE: Status = 5;
pub const CANCELED: Status = 6;
pub const INTERNAL: Status = 7;

pub const ENTRY_MAGIC: u64 = 0x4755_4c50_454d_4f44;
pub const ADAPTER: &[u8] = b"dome.adapter/1";
pub const CANCEL: &[u8] = b"dome.cancel/1";
pub const PROGRESS: &[u8] = b"dome.progress/1";

/// The host's; never looked into.
#[repr(C)]
pub struct Host {
    _private: [u8; 0],
}

/// One call of the host's; never looked into, and over when the function it came with returns.
#[repr(C)]
pub struct Call {
    _private: [u8; 0],
}

#[repr(C)]
pub struct Text {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
pub struct HostApi {
    pub struct_size: usize,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub name: Text,
    pub version: Text,
    pub get_extension: unsafe extern "C" fn(*mut Host, *const c_char, usize) -> *const c_void,
    pub reply: unsafe extern "C" fn(*mut Call, *const c_char, usize) -> bool,
    pub explain: unsafe extern "C" fn(*mut Call, *const c_char, usize),
}

#[repr(C)]
pub struct CancelApi {
    pub struct_size: usize,
    pub is_canceled: unsafe extern "C" fn(*mut Call) -> bool,
}

#[repr(C)]
pub struct ProgressApi {
    pub struct_size: usize,
    pub report: unsafe extern "C" fn(*mut Call, f64, *const c_char, usize),
}

#[repr(C)]
pub struct Entry {
    pub magic: u64,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub struct_size: usize,
    pub init: unsafe extern "C" fn(*mut Host, *const HostApi, *const c_char, usize) -> bool,
    pub deinit: unsafe extern "C" fn(),
    pub get_factory: unsafe extern "C" fn(*const c_char, usize) -> *const c_void,
}

#[repr(C)]
pub struct Descriptor {
    pub struct_size: usize,
    pub id: Text,
    pub version: Text,
    pub declaration: Text,
}

/// The plugin's connection, behind a pointer.
pub type Adapter = c_void;

#[repr(C)]
pub struct AdapterApi {
    pub struct_size: usize,
    pub get_descriptor: unsafe extern "C" fn() -> *const Descriptor,
    pub connect: unsafe extern "C" fn(*mut Call, *const c_char, usize, *mut *mut Adapter) -> Status,
    pub execute:
        unsafe extern "C" fn(*mut Adapter, *mut Call, *const c_char, usize, *const c_char, usize) -> Status,
    pub health: Option<unsafe extern "C" fn(*mut Adapter, *mut Call) -> Status>,
    pub audit: Option<unsafe extern "C" fn(*mut Adapter, *const c_char, usize)>,
    pub disconnect: unsafe extern "C" fn(*mut Adapter),
    pub get_extension: Option<unsafe extern "C" fn(*mut Adapter, *const c_char, usize) -> *const c_void>,
}

// They hold pointers to what is static and never changes.
unsafe impl Sync for Descriptor {}
unsafe impl Sync for AdapterApi {}
unsafe impl Sync for Entry {}

pub const fn text(text: &'static str) -> Text {
    Text { data: text.as_ptr() as *const c_char, size: text.len() }
}

/// Bytes that the host lends for the duration of a call.
///
/// # Safety
/// `data` and `size` are as the host gave them, and the result is not kept.
pub unsafe fn lent<'a>(data: *const c_char, size: usize) -> &'a [u8] {
    if size == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(data as *const u8, size)
    }
}
