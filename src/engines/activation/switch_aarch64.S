// The changes between the application's stack and thread pointer and those of a kernel thread: see activation.hpp.
// While the application is away its callee-saved registers, FPCR and the words of its call lie on its own stack; x29 stays its
// frame, so that unwinding finds the way from any point in between.
//
// Memory order. A claimant reads what the application left behind (APP_SP, RESUME, the frame, all of its data) after it has
// read the word: so `inside` is stored with release. Nobody reads anything on the strength of `done`: a plain store. Between a
// word's store and the load of *ASLEEP or CLAIM after it nothing keeps the order here; the other side does, which stores
// *ASLEEP or CLAIM and makes every thread's accesses orderly by membarrier(2) before it loads the word.
// Not carried: SME's ZA and keys of pointer authentication that a thread has changed for itself.

#include "engines/activation/assembly.inc"

    .set FRAME, 224             // bytes: x29, x30, x19 to x28, d8 to d15,
    .set CONTROL, 160           // FPCR,
    .set CALL, 168              // and the words of a call

// Where an indirect branch may come in.
    .macro landing kind
#if defined(__ARM_FEATURE_BTI_DEFAULT)
    hint #\kind
#endif
    .endm
    .set CALLED, 34             // bti c
    .set JUMPED_TO, 36          // bti j

// The registers of the application that nothing here changes before it goes on elsewhere are saved only, and loaded where it
// does.
    .macro save_application
    stp x29, x30, [sp, #-FRAME]!
    .cfi_def_cfa_offset FRAME
    .cfi_offset x29, -FRAME
    .cfi_offset x30, -FRAME + 8
    mov x29, sp
    .cfi_def_cfa_register x29
    stp x19, x20, [x29, #16]
    .cfi_offset x19, 16 - FRAME
    .cfi_offset x20, 24 - FRAME
    stp x21, x22, [x29, #32]
    .cfi_offset x21, 32 - FRAME
    .cfi_offset x22, 40 - FRAME
    stp x23, x24, [x29, #48]
    .cfi_offset x23, 48 - FRAME
    .cfi_offset x24, 56 - FRAME
    stp x25, x26, [x29, #64]
    .cfi_offset x25, 64 - FRAME
    .cfi_offset x26, 72 - FRAME
    stp x27, x28, [x29, #80]
    .cfi_offset x27, 80 - FRAME
    .cfi_offset x28, 88 - FRAME
    stp d8, d9, [x29, #96]
    .cfi_offset d8, 96 - FRAME
    .cfi_offset d9, 104 - FRAME
    stp d10, d11, [x29, #112]
    .cfi_offset d10, 112 - FRAME
    .cfi_offset d11, 120 - FRAME
    stp d12, d13, [x29, #128]
    .cfi_offset d12, 128 - FRAME
    .cfi_offset d13, 136 - FRAME
    stp d14, d15, [x29, #144]
    .cfi_offset d14, 144 - FRAME
    .cfi_offset d15, 152 - FRAME
    mrs x9, fpcr
    str x9, [x29, #CONTROL]
    .endm

// With x29 at the frame.
    .macro load_the_rest
    ldp x25, x26, [x29, #64]
    ldp x27, x28, [x29, #80]
    ldp d8, d9, [x29, #96]
    ldp d10, d11, [x29, #112]
    ldp d12, d13, [x29, #128]
    ldp d14, d15, [x29, #144]
    ldr x9, [x29, #CONTROL]
    msr fpcr, x9
    .endm

// With the stack pointer at the frame; .cfi_remember_state before it, where code follows that still has the frame.
    .macro restore_application
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x29, x30, [sp], #FRAME
    .cfi_def_cfa sp, 0
    .irp register, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30
    .cfi_restore \register
    .endr
    .irp register, d8, d9, d10, d11, d12, d13, d14, d15
    .cfi_restore \register
    .endr
    .endm

// The call whose number is in x21 and whose arguments are in the registers for it, on the stack and thread pointer of the
// guest x19. Ends with the application's thread pointer, stack and result; or, claimed, in laio_activation_lost(). The
// kernel changes x0 alone.
    .macro make_call resume_at
    mov x24, x0
    adr x9, \resume_at
    str x9, [x19, #RESUME]
    mov x9, sp
    str x9, [x19, #APP_SP]
    ldr x20, [x19, #WORD]
    add x20, x20, #3            // the next generation, inside
    ldr x22, [x19, #CALL_TP]
    ldr x23, [x19, #APP_TP]
    ldr x9, [x19, #OWN_SP]
    mov sp, x9
    msr tpidr_el0, x22
    stlr x20, [x19]             // WORD: from here on it may be claimed, and the application's stack is another's
    ldr x9, [x19, #ASLEEP]
    ldr w9, [x9]
    cbnz w9, 8f
2:  mov x8, x21
    svc #0
    add x9, x20, #1
    str x9, [x19, #WORD]        // done; whether somebody claims it is asked after that
    ldr x9, [x19, #CLAIM]
    cmp x9, x20
    b.hs 9f
3:  msr tpidr_el0, x23
    ldr x9, [x19, #APP_SP]
    mov sp, x9
    .endm

// What make_call does seldom.
    .macro make_call_rest
8:  stp x0, x1, [sp, #-48]!
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    mov x0, x19
    bl laio_activation_wake
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x0, x1, [sp], #48
    b 2b
9:  add x10, x19, #CLAIM        // a claim is being made, or was: withdrawn, it is as if there had been none
10: ldaxr x9, [x10]
    cmp x9, x20
    b.ne 11f
    stlxr w9, xzr, [x10]
    cbnz w9, 10b
    b 3b
11: clrex
    .cfi_undefined x30          // whoever called is elsewhere
    str x0, [x19, #RESULT]
    stp x21, x24, [x19, #MADE]
    stp x1, x2, [x19, #MADE + 16]
    stp x3, x4, [x19, #MADE + 32]
    str x5, [x19, #MADE + 48]
    ldr x9, [x19, #OWN_TP]
    msr tpidr_el0, x9
    mov x29, xzr
    mov x0, x19
    bl laio_activation_lost
    brk #1
    .endm

    .text

// long laio_activation_syscall(long number, ...six arguments): the rest of laio_syscall(), jumped to with its arguments,
// for a call in place on the guest laio_running. One return lies between the kernel and the application's caller.
begin_function laio_activation_syscall
    save_application
    adrp x9, :gottprel:laio_running
    ldr x9, [x9, #:gottprel_lo12:laio_running]
    mrs x10, tpidr_el0
    ldr x19, [x10, x9]
    stp x0, x1, [sp, #CALL]
    stp x2, x3, [sp, #CALL + 16]
    stp x4, x5, [sp, #CALL + 32]
    str x6, [sp, #CALL + 48]
    mov x21, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    make_call resume_at=6f
    .cfi_remember_state
    restore_application
    cmn x0, #4095
    b.hs 7f
    ret
7:  b laio_activation_failed
    .cfi_restore_state
6:  landing JUMPED_TO
    add x0, sp, #CALL
    bl laio_activation_claimed
    .cfi_remember_state
    restore_application
    ret
    .cfi_restore_state
    make_call_rest
end_function laio_activation_syscall

// long laio_activation_call(guest *, long number, const long *arguments): likewise, and returns what the kernel returned, or
// anything when another thread returns from here.
begin_function laio_activation_call
    save_application
    mov x19, x0
    mov x21, x1
    mov x9, x2
    ldp x0, x1, [x9]
    ldp x2, x3, [x9, #16]
    ldp x4, x5, [x9, #32]
    make_call resume_at=5f
5:  landing JUMPED_TO
    .cfi_remember_state
    restore_application
    ret
    .cfi_restore_state
    make_call_rest
end_function laio_activation_call

// noreturn laio_activation_resume(guest *from): this thread carries the application from where `from` left it.
begin_function laio_activation_resume
    .cfi_undefined x30
    ldr x9, [x0, #APP_TP]
    msr tpidr_el0, x9
    ldr x9, [x0, #APP_SP]
    mov sp, x9
    mov x29, x9
    load_the_rest
    ldr x9, [x0, #RESUME]
    br x9
end_function laio_activation_resume

// void laio_activation_leave(guest *from, noreturn void (*then)(guest *)): the application leaves the thread, which goes on
// in then(from). Returns on the thread that resumes it.
begin_function laio_activation_leave
    save_application
    adr x9, 1f
    str x9, [x0, #RESUME]
    mov x9, sp
    str x9, [x0, #APP_SP]
    ldr x9, [x0, #OWN_SP]
    mov sp, x9
    ldr x9, [x0, #OWN_TP]
    msr tpidr_el0, x9
    .cfi_remember_state
    .cfi_undefined x30
    mov x29, xzr
    blr x1
    .cfi_restore_state
1:  landing JUMPED_TO
    restore_application
    ret
end_function laio_activation_leave

// void laio_activation_begin(guest *, noreturn void (*then)(guest *)): a thread that carries nobody yet goes on in
// then(guest), from here on its own stack. Returns when laio_activation_end() is called.
begin_function laio_activation_begin
    save_application
    mov x9, sp
    str x9, [x0, #THREAD_SP]
    str x9, [x0, #OWN_SP]
    blr x1
    brk #1
end_function laio_activation_begin

// noreturn laio_activation_end(guest *)
begin_function laio_activation_end
    .cfi_undefined x30
    ldr x9, [x0, #THREAD_SP]
    mov sp, x9
    mov x29, x9
    load_the_rest
    restore_application
    ret
end_function laio_activation_end

#if defined(__ARM_FEATURE_BTI_DEFAULT)
    .section .note.gnu.property, "a"
    .balign 8
    .long 4, 16, 5              // the lengths of "GNU" and of what follows it; properties
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0   // of aarch64: landing pads
#endif
    .section .note.GNU-stack, "", %progbits
