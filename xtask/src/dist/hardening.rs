//! What a binary says of itself: how it is protected, and what it wants of the system.

use anyhow::Context as _;
use object::elf::{
    DF_1_NOW, DF_1_PIE, DF_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, ET_DYN,
    FileHeader64, PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK, PT_INTERP, PT_LOAD,
};
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _};

/// The answers, in the words of those who ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one question")]
pub(crate) struct Hardening {
    /// It can be loaded anywhere.
    pub(crate) position_independent: bool,
    /// It names a loader, which an image without one does not have.
    pub(crate) interpreter: bool,
    /// It needs shared libraries.
    pub(crate) needs_libraries: bool,
    /// It looks for libraries in folders of its own.
    pub(crate) library_path: bool,
    /// No stack may be executed.
    pub(crate) stack_not_executable: bool,
    /// Some memory can be both written and executed.
    pub(crate) writable_code: bool,
    /// What is relocated becomes read-only, all of it, before the program begins.
    pub(crate) full_relro: bool,
}

/// Reads a binary for a 64-bit machine.
pub(crate) fn of(binary: &[u8]) -> anyhow::Result<Hardening> {
    let header = FileHeader64::<Endianness>::parse(binary).context("this is no 64-bit ELF file")?;
    let endian = header.endian()?;
    let mut seen = Hardening::default();
    let (mut is_relocated, mut is_bound, mut is_program) = (false, false, false);
    for segment in header.program_headers(endian, binary)? {
        let flags = segment.p_flags(endian);
        match segment.p_type(endian) {
            PT_INTERP => seen.interpreter = true,
            PT_GNU_STACK => seen.stack_not_executable = !flags.contains(PF_X),
            PT_GNU_RELRO => is_relocated = true,
            PT_LOAD => seen.writable_code |= flags.contains(PF_W) && flags.contains(PF_X),
            PT_DYNAMIC => {
                for entry in segment.dynamic(endian, binary)?.unwrap_or_default() {
                    let value = entry.val(endian);
                    match entry.tag(endian) {
                        DT_NEEDED => seen.needs_libraries = true,
                        DT_RPATH | DT_RUNPATH => seen.library_path = true,
                        DT_FLAGS => is_bound |= value & DF_BIND_NOW.0 != 0,
                        DT_FLAGS_1 => {
                            is_bound |= value & DF_1_NOW.0 != 0;
                            is_program |= value & DF_1_PIE.0 != 0;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    seen.position_independent = header.e_type(endian) == ET_DYN && is_program;
    seen.full_relro = is_relocated && is_bound;
    Ok(seen)
}

/// The id by which a debugger finds the symbols of a binary.
pub(crate) fn build_id(binary: &[u8]) -> anyhow::Result<String> {
    let file = object::File::parse(binary)?;
    let id = file.build_id()?.context("the binary has no build id")?;
    Ok(super::blob::hex(id))
}

impl Hardening {
    /// What every binary that is shipped must be.
    pub(crate) const WANTED: Self = Self {
        position_independent: true,
        interpreter: false,
        needs_libraries: false,
        library_path: false,
        stack_not_executable: true,
        writable_code: false,
        full_relro: true,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIST-1: the reader sees what is not static: this very test is not.
    #[test]
    fn an_ordinary_binary_is_told_from_a_static_one() {
        let binary = std::fs::read("/proc/self/exe").unwrap();
        let seen = of(&binary).unwrap();
        assert!(seen.interpreter && seen.needs_libraries && seen.stack_not_executable, "{seen:?}");
        assert_ne!(seen, Hardening::WANTED);
        assert!(of(b"#!/bin/sh\n").is_err());
    }
}
