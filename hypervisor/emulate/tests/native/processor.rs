//! The host's processor as the oracle: runs one instruction on given registers and memory.

use emulate::Registers;
use iced_x86::code_asm::*;
use std::ptr;

const PAGE: usize = 4096;

/// Four pages below 2 GiB: code, context, "device", plain memory.
pub struct Processor {
    base: *mut u8,
}

impl Processor {
    pub fn new() -> Self {
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                4 * PAGE,
                libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT,
                -1,
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED, "mmap of an executable page");
        Self { base: base.cast() }
    }

    /// Address of the device page and the plain page, which follows it.
    pub fn data(&self) -> u64 {
        self.base as u64 + 2 * PAGE as u64
    }

    /// Runs the instruction that `emit` assembles. `memory` is the two data pages. Returns its bytes;
    /// `registers.rip` is its address before and the address after it afterwards.
    pub fn run(
        &self,
        emit: &dyn Fn(&mut CodeAssembler),
        registers: &mut Registers,
        memory: &mut [u8],
    ) -> (Vec<u8>, u64) {
        let context = self.base as u64 + PAGE as u64;
        let slot = |n: usize| qword_ptr(context + 8 * n as u64);
        let all = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];
        let mut before = CodeAssembler::new(64).unwrap();
        for r in [rbx, rbp, r12, r13, r14, r15] {
            before.push(r).unwrap();
        }
        before.mov(slot(17), rsp).unwrap();
        before.push(slot(16)).unwrap();
        before.popfq().unwrap();
        for (n, r) in all.into_iter().enumerate() {
            before.mov(r, slot(n)).unwrap();
        }
        let mut code = before.assemble(self.base as u64).unwrap();
        let rip = self.base as u64 + code.len() as u64;
        let mut tested = CodeAssembler::new(64).unwrap();
        emit(&mut tested);
        let bytes = tested.assemble(rip).unwrap();
        code.extend(&bytes);
        let mut after = CodeAssembler::new(64).unwrap();
        for (n, r) in all.into_iter().enumerate() {
            after.mov(slot(n), r).unwrap();
        }
        after.mov(rsp, slot(17)).unwrap();
        after.pushfq().unwrap();
        after.pop(slot(16)).unwrap();
        after.cld().unwrap();
        for r in [r15, r14, r13, r12, rbp, rbx] {
            after.pop(r).unwrap();
        }
        after.ret().unwrap();
        code.extend(after.assemble(self.base as u64 + code.len() as u64).unwrap());
        assert!(code.len() <= PAGE && memory.len() == 2 * PAGE);

        // SAFETY: all four pages are mapped, writable and executable, and owned by `self`; the code saves and
        // restores what the calling convention asks for, and the tested instruction only touches the data pages.
        unsafe {
            ptr::copy_nonoverlapping(code.as_ptr(), self.base, code.len());
            ptr::copy_nonoverlapping(memory.as_ptr(), self.base.add(2 * PAGE), memory.len());
            let words = self.base.add(PAGE).cast::<u64>();
            ptr::copy_nonoverlapping(registers.gpr.as_ptr(), words, 16);
            words.add(16).write(registers.rflags);
            let function: extern "C" fn() = std::mem::transmute(self.base);
            function();
            ptr::copy_nonoverlapping(words, registers.gpr.as_mut_ptr(), 16);
            registers.rflags = words.add(16).read();
            ptr::copy_nonoverlapping(self.base.add(2 * PAGE), memory.as_mut_ptr(), memory.len());
        }
        registers.rip = rip + bytes.len() as u64;
        (bytes, rip)
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        // SAFETY: the mapping of `new`, to which no reference exists.
        unsafe { libc::munmap(self.base.cast(), 4 * PAGE) };
    }
}
