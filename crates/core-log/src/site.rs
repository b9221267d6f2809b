use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use tracing::Metadata;
use tracing::field::Field;

use crate::json;
use crate::mask::Rules;
use crate::name::Name;
use crate::rate::CallSite;

/// How many places of the `log` bridge a thread remembers.
const MAX_BRIDGED: usize = 1000;

/// What every line from one place in the code has in common, rendered once for each thread.
pub(crate) struct Site {
    /// `","level":"INFO","logger":"mira::app","message":`
    pub(crate) head: String,
    /// `,"module":"mira::app"`
    pub(crate) module: String,
    /// `,"file":"src/app.rs","line":150,"thread":`
    pub(crate) place: String,
    /// The name of a span, if it may be a function's.
    pub(crate) function: Option<&'static str>,
    names: Vec<FieldName>,
    /// The rules that decided which fields are masked.
    generation: u64,
    written: OnceCell<Option<Arc<CallSite>>>,
}

/// A field of a place in the code.
pub(crate) struct FieldName {
    pub(crate) name: Name<'static>,
    /// `,"name":`
    pub(crate) text: String,
    pub(crate) is_masked: bool,
}

impl FieldName {
    fn new(name: &'static str, rules: &Rules) -> Self {
        let mut text = String::new();
        let is_masked = rules.masks(name);
        let name = Name::new(name);
        name.write(&mut text);
        Self { name, text, is_masked }
    }
}

impl Site {
    pub(crate) fn new(
        level: tracing::Level,
        target: &str,
        module: Option<&str>,
        (file, line): (Option<&str>, Option<u32>),
    ) -> Self {
        let optional = |out: &mut String, member: &str, text: Option<&str>| {
            if let Some(text) = text {
                out.push_str(member);
                json::string(out, text);
            }
        };
        let mut head = format!("\",\"level\":\"{level}\",\"logger\":");
        json::string(&mut head, target);
        head.push_str(",\"message\":");
        let mut place = String::new();
        optional(&mut place, ",\"file\":", file);
        if let Some(line) = line {
            place.push_str(",\"line\":");
            json::integer(&mut place, line);
        }
        place.push_str(",\"thread\":");
        let mut rendered = String::new();
        optional(&mut rendered, ",\"module\":", module);
        Self {
            head,
            module: rendered,
            place,
            function: None,
            names: Vec::new(),
            generation: 0,
            written: OnceCell::new(),
        }
    }

    /// What is known of a place whose fields are told elsewhere.
    fn of(metadata: &Metadata<'_>, fields: &Metadata<'static>, rules: &Rules) -> Self {
        let place = (metadata.file(), metadata.line());
        let mut site =
            Self::new(*metadata.level(), metadata.target(), metadata.module_path(), place);
        let names = fields.fields().iter().map(|field| FieldName::new(field.name(), rules));
        site.names = names.collect();
        site.generation = rules.generation;
        site
    }

    /// What this thread knows of a place.
    pub(crate) fn known(metadata: &'static Metadata<'static>, rules: &Rules) -> Rc<Self> {
        thread_local! {
            static KNOWN: RefCell<HashMap<usize, Rc<Site>, BuildHasherDefault<Address>>> =
                RefCell::default();
        }
        let address = std::ptr::from_ref(metadata).addr();
        let known = KNOWN.try_with(|known| known.borrow().get(&address).cloned()).ok().flatten();
        known.filter(|site| site.generation == rules.generation).unwrap_or_else(|| {
            let mut site = Self::of(metadata, metadata, rules);
            site.function = function(metadata);
            let site = Rc::new(site);
            // A thread that is being torn down remembers nothing.
            let _ = KNOWN.try_with(|known| known.borrow_mut().insert(address, Rc::clone(&site)));
            site
        })
    }

    /// What this thread knows of a place that the `log` bridge told of.
    pub(crate) fn bridged(
        told: &Metadata<'_>,
        fields: &Metadata<'static>,
        rules: &Rules,
    ) -> Rc<Self> {
        thread_local! {
            static KNOWN: RefCell<(String, HashMap<String, Rc<Site>>)> = RefCell::default();
        }
        let find = |known: &RefCell<(String, HashMap<String, Rc<Self>>)>| {
            let (key, sites) = &mut *known.borrow_mut();
            key.clear();
            let (level, target, line) = (told.level(), told.target(), told.line());
            let (module, file) = (told.module_path(), told.file());
            let _ = write!(key, "{level}\0{target}\0{module:?}\0{file:?}\0{line:?}");
            let known = sites.get(key).filter(|site| site.generation == rules.generation);
            known.cloned().unwrap_or_else(|| {
                // Targets may be made up as one goes.
                if sites.len() >= MAX_BRIDGED {
                    sites.clear();
                }
                let site = Rc::new(Self::of(told, fields, rules));
                sites.insert(key.clone(), Rc::clone(&site));
                site
            })
        };
        // A thread that is being torn down remembers nothing.
        KNOWN.try_with(find).unwrap_or_else(|_| Rc::new(Self::of(told, fields, rules)))
    }

    /// What the place has written, looked up when it is asked for first.
    pub(crate) fn call_site(
        &self,
        find: impl FnOnce() -> Option<Arc<CallSite>>,
    ) -> Option<&CallSite> {
        self.written.get_or_init(find).as_deref()
    }

    pub(crate) fn name(&self, field: &Field) -> &FieldName {
        &self.names[field.index()]
    }
}

/// What `#[instrument]` makes bears the name of its function; whatever else a span is called, a
/// function cannot be. An operation has a name of its own.
fn function(metadata: &'static Metadata<'static>) -> Option<&'static str> {
    let name = metadata.name();
    let mut letters = name.chars();
    let is_identifier = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_operation = metadata.fields().field("operation").is_some();
    (metadata.is_span() && is_identifier && !is_operation).then_some(name)
}

/// Addresses differ in their middle bits.
#[derive(Default)]
struct Address(u64);

impl Hasher for Address {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("an address is written as a whole")
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}
