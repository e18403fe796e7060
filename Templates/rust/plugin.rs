//! @NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.
//!
//! `make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known. dome.rs is the
//! ABI in Rust. No panic may leave a function that the host calls: `guarded` sees to it.

mod dome;
mod json;

use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use dome::{Adapter, Call, Status};
use json::Value;

const DECLARATION: &str = r#"{"actions": [
    {"name": "hello", "title": "Hello", "description": "Greets somebody.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"name": {"type": "string", "maxLength": 200}}},
     "output_schema": {"type": "object", "required": ["greeting"], "properties": {"greeting": {"type": "string"}}}},
    {"name": "count", "title": "Count", "description": "Counts, and shows how far it is.",
     "input_schema": {"type": "object", "additionalProperties": false, "properties":
        {"to": {"type": "integer", "minimum": 1, "maximum": 1000},
         "milliseconds": {"type": "integer", "minimum": 0, "maximum": 10000}}},
     "output_schema": {"type": "object", "required": ["counted"], "properties": {"counted": {"type": "integer"}}}}
]}"#;

/// A connection: one is made for each job.
struct Connection {
    calls: u32,
}

/// What a call fails with: a status, and a reason that people read.
struct Refusal(Status, String);

type Answer = Result<String, Refusal>;

/// What the host gave to init; they live until deinit.
static HOST: AtomicPtr<dome::HostApi> = AtomicPtr::new(std::ptr::null_mut());
static CANCEL: AtomicPtr<dome::CancelApi> = AtomicPtr::new(std::ptr::null_mut());
static PROGRESS: AtomicPtr<dome::ProgressApi> = AtomicPtr::new(std::ptr::null_mut());

fn host() -> Option<&'static dome::HostApi> {
    unsafe { HOST.load(Ordering::Relaxed).as_ref() }
}

fn is_canceled(call: *mut Call) -> bool {
    unsafe { CANCEL.load(Ordering::Relaxed).as_ref().map_or(false, |table| (table.is_canceled)(call)) }
}

fn report(call: *mut Call, value: f64, message: &str) {
    if let Some(table) = unsafe { PROGRESS.load(Ordering::Relaxed).as_ref() } {
        unsafe { (table.report)(call, value, message.as_ptr() as *const c_char, message.len()) }
    }
}

fn hello(payload: &[u8]) -> Answer {
    let mut name = String::from("world");
    for (member, value) in members(payload)? {
        match (member.as_str(), value) {
            ("name", Value::Text(text)) => name = text,
            _ => return Err(Refusal(dome::INVALID, format!("\"{}\" is not known, or no text", member))),
        }
    }
    Ok(format!("{{\"greeting\":{}}}", json::quoted(&format!("Hello, {}!", name))))
}

fn count(call: *mut Call, payload: &[u8]) -> Answer {
    let (mut limit, mut milliseconds) = (3, 100);
    for (member, value) in members(payload)? {
        match (member.as_str(), value) {
            ("to", Value::Number(number)) if (1.0..=1000.0).contains(&number) => limit = number as u32,
            ("milliseconds", Value::Number(number)) if (0.0..=10000.0).contains(&number) => {
                milliseconds = number as u32
            }
            _ => return Err(Refusal(dome::INVALID, format!("\"{}\" is not known, or out of range", member))),
        }
    }
    for number in 1..=limit {
        for passed in 0..=milliseconds {
            if is_canceled(call) {
                return Err(Refusal(dome::CANCELED, String::from("canceled while counting")));
            }
            if passed < milliseconds {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        report(call, f64::from(number) / f64::from(limit), "counting");
    }
    Ok(format!("{{\"counted\":{}}}", limit))
}

fn members(payload: &[u8]) -> Result<Vec<(String, Value)>, Refusal> {
    let refusal = || Refusal(dome::INVALID, String::from("the payload is no object of plain values"));
    json::members(payload).ok_or_else(refusal)
}

/// Runs `body`, replies with what it returns, and turns a refusal or a panic into a status.
fn guarded(call: *mut Call, body: impl FnOnce() -> Answer) -> Status {
    let host = match host() {
        Some(host) => host,
        None => return dome::INTERNAL,
    };
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let refusal = match outcome {
        Ok(Ok(reply)) => {
            if reply.is_empty() || unsafe { (host.reply)(call, reply.as_ptr() as *const c_char, reply.len()) } {
                return dome::OK;
            }
            Refusal(dome::UNAVAILABLE, String::from("the host takes no reply"))
        }
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal(dome::INTERNAL, String::from("the plugin panicked; its log has the place")),
    };
    unsafe { (host.explain)(call, refusal.1.as_ptr() as *const c_char, refusal.1.len()) };
    refusal.0
}

unsafe extern "C" fn connect(call: *mut Call, _: *const c_char, _: usize, adapter: *mut *mut Adapter) -> Status {
    guarded(call, || {
        *adapter = Box::into_raw(Box::new(Connection { calls: 0 })) as *mut Adapter;
        Ok(String::new())
    })
}

unsafe extern "C" fn disconnect(adapter: *mut Adapter) {
    drop(Box::from_raw(adapter as *mut Connection));
}

unsafe extern "C" fn execute(
    adapter: *mut Adapter,
    call: *mut Call,
    action: *const c_char,
    action_size: usize,
    payload: *const c_char,
    payload_size: usize,
) -> Status {
    guarded(call, || {
        (*(adapter as *mut Connection)).calls += 1;
        let payload = dome::lent(payload, payload_size);
        match dome::lent(action, action_size) {
            b"hello" => hello(payload),
            b"count" => count(call, payload),
            _ => Err(Refusal(dome::INVALID, String::from("there is no such action; known are hello and count"))),
        }
    })
}

unsafe extern "C" fn get_descriptor() -> *const dome::Descriptor {
    static DESCRIPTOR: dome::Descriptor = dome::Descriptor {
        struct_size: std::mem::size_of::<dome::Descriptor>(),
        id: dome::text("@ID@"),
        version: dome::text("0.1.0"),
        declaration: dome::text(DECLARATION),
    };
    &DESCRIPTOR
}

unsafe extern "C" fn init(
    host: *mut dome::Host,
    api: *const dome::HostApi,
    _directory: *const c_char,
    _size: usize,
) -> bool {
    HOST.store(api as *mut dome::HostApi, Ordering::Relaxed);
    // An extension that the host does not have is null: then do without.
    let find = |id: &[u8]| ((*api).get_extension)(host, id.as_ptr() as *const c_char, id.len()) as *mut c_void;
    CANCEL.store(find(dome::CANCEL) as *mut dome::CancelApi, Ordering::Relaxed);
    PROGRESS.store(find(dome::PROGRESS) as *mut dome::ProgressApi, Ordering::Relaxed);
    true
}

unsafe extern "C" fn deinit() {
    HOST.store(std::ptr::null_mut(), Ordering::Relaxed);
}

unsafe extern "C" fn get_factory(id: *const c_char, size: usize) -> *const c_void {
    static API: dome::AdapterApi = dome::AdapterApi {
        struct_size: std::mem::size_of::<dome::AdapterApi>(),
        get_descriptor,
        connect,
        execute,
        health: None,
        audit: None,
        disconnect,
        get_extension: None,
    };
    if dome::lent(id, size) == dome::ADAPTER {
        &API as *const dome::AdapterApi as *const c_void
    } else {
        null()
    }
}

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static dome_plugin_entry: dome::Entry = dome::Entry {
    magic: dome::ENTRY_MAGIC,
    abi_major: 1,
    abi_minor: 0,
    struct_size: std::mem::size_of::<dome::Entry>(),
    init,
    deinit,
    get_factory,
};
