// The changes between the application's stack and thread pointer and those of a kernel thread: see activation.hpp.
// While the application is away its callee-saved registers, MXCSR, the x87 control word and the words of its call lie on its
// own stack; %rbp stays its frame, so that unwinding finds the way from any point in between.

#include "engines/activation/assembly.inc"

    .set SAVED, 40              // bytes of registers below the frame pointer
    .set CONTROL, 72            // and of MXCSR, the x87 control word, the words of a call (from 8 on) and alignment

    .macro save_application
    push %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    push %rbx
    .cfi_offset %rbx, -24
    push %r12
    .cfi_offset %r12, -32
    push %r13
    .cfi_offset %r13, -40
    push %r14
    .cfi_offset %r14, -48
    push %r15
    .cfi_offset %r15, -56
    sub $CONTROL, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    .endm

    .macro restore_application
    add $CONTROL, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    .endm

// Where an indirect branch may come in: Linux has no check of that in user mode.
    .macro landing kind
    .endm

// The call whose number is in %r13 and whose arguments are in the registers for it, on the stack and thread pointer of the
// guest %rbx. Ends with the application's thread pointer, stack and result; or, claimed, in laio_activation_lost().
    .macro make_call resume_at
    lea \resume_at(%rip), %rax
    mov %rax, RESUME(%rbx)
    mov %rsp, APP_SP(%rbx)
    mov WORD(%rbx), %r12
    add $3, %r12                // the next generation, inside
    mov CALL_TP(%rbx), %r14
    mov APP_TP(%rbx), %r15
    mov OWN_SP(%rbx), %rsp
    cmp %r14, %r15
    je 1f
    wrfsbase %r14
1:  mov %r12, WORD(%rbx)        // from here on it may be claimed, and the application's stack is another's
    mov ASLEEP(%rbx), %rax
    cmpl $0, (%rax)
    jne 8f
2:  mov %r13, %rax
    syscall
    lea 1(%r12), %rcx
    mov %rcx, WORD(%rbx)        // done; whether somebody claims it is asked after that
    cmp %r12, CLAIM(%rbx)
    jae 9f
3:  cmp %r14, %r15
    je 4f
    wrfsbase %r15
4:  mov APP_SP(%rbx), %rsp
    .endm

// What make_call does seldom.
    .macro make_call_rest
8:  push %rdi
    push %rsi
    push %rdx
    push %r10
    push %r8
    push %r9
    mov %rbx, %rdi
    call laio_activation_wake
    pop %r9
    pop %r8
    pop %r10
    pop %rdx
    pop %rsi
    pop %rdi
    jmp 2b
9:  mov %rax, RESULT(%rbx)
    mov %r12, %rax              // a claim is being made, or was: withdrawn, it is as if there had been none
    xor %ecx, %ecx
    lock cmpxchg %rcx, CLAIM(%rbx)
    mov RESULT(%rbx), %rax
    je 3b
    .cfi_undefined %rip         // whoever called is elsewhere
    mov %r13, MADE(%rbx)
    mov %rdi, MADE+8(%rbx)
    mov %rsi, MADE+16(%rbx)
    mov %rdx, MADE+24(%rbx)
    mov %r10, MADE+32(%rbx)
    mov %r8, MADE+40(%rbx)
    mov %r9, MADE+48(%rbx)
    mov OWN_TP(%rbx), %rax
    wrfsbase %rax
    xor %ebp, %ebp
    mov %rbx, %rdi
    call laio_activation_lost
    ud2
    .endm

    .text

// long laio_activation_syscall(long number, ...six arguments): the rest of laio_syscall(), jumped to with its arguments,
// for a call in place on the guest laio_running. One return lies between the kernel and the application's caller.
begin_function laio_activation_syscall
    save_application
    mov laio_running@gottpoff(%rip), %rax
    mov %fs:(%rax), %rbx
    mov %rdi, 8(%rsp)
    mov %rsi, 16(%rsp)
    mov %rdx, 24(%rsp)
    mov %rcx, 32(%rsp)
    mov %r8, 40(%rsp)
    mov %r9, 48(%rsp)
    mov %rdi, %r13
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 16(%rbp), %r9
    mov %r9, 56(%rsp)
    make_call resume_at=6f
    .cfi_remember_state
    restore_application
    .cfi_def_cfa %rsp, 8
    cmp $-4095, %rax
    jae 7f
    ret
7:  mov %rax, %rdi
    jmp laio_activation_failed
    .cfi_restore_state
6:  lea 8(%rsp), %rdi
    call laio_activation_claimed
    .cfi_remember_state
    restore_application
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_restore_state
    make_call_rest
end_function laio_activation_syscall

// long laio_activation_call(guest *, long number, const long *arguments): likewise, and returns what the kernel returned, or
// anything when another thread returns from here.
begin_function laio_activation_call
    save_application
    mov %rdi, %rbx
    mov %rsi, %r13
    mov %rdx, %rcx
    mov 0(%rcx), %rdi
    mov 8(%rcx), %rsi
    mov 16(%rcx), %rdx
    mov 24(%rcx), %r10
    mov 32(%rcx), %r8
    mov 40(%rcx), %r9
    make_call resume_at=5f
5:  .cfi_remember_state
    restore_application
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_restore_state
    make_call_rest
end_function laio_activation_call

// noreturn laio_activation_resume(guest *from): this thread carries the application from where `from` left it.
begin_function laio_activation_resume
    mov APP_TP(%rdi), %rax
    wrfsbase %rax
    mov APP_SP(%rdi), %rsp
    lea SAVED+CONTROL(%rsp), %rbp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    jmp *RESUME(%rdi)
end_function laio_activation_resume

// void laio_activation_leave(guest *from, noreturn void (*then)(guest *)): the application leaves the thread, which goes on
// in then(from). Returns on the thread that resumes it.
begin_function laio_activation_leave
    save_application
    lea 1f(%rip), %rax
    mov %rax, RESUME(%rdi)
    mov %rsp, APP_SP(%rdi)
    mov OWN_SP(%rdi), %rsp
    mov OWN_TP(%rdi), %rax
    wrfsbase %rax
    .cfi_remember_state
    .cfi_undefined %rip
    xor %ebp, %ebp
    call *%rsi
    .cfi_restore_state
1:  restore_application
    .cfi_def_cfa %rsp, 8
    ret
end_function laio_activation_leave

// void laio_activation_begin(guest *, noreturn void (*then)(guest *)): a thread that carries nobody yet goes on in
// then(guest), from here on its own stack. Returns when laio_activation_end() is called.
begin_function laio_activation_begin
    save_application
    mov %rsp, THREAD_SP(%rdi)
    and $-16, %rsp
    mov %rsp, OWN_SP(%rdi)
    call *%rsi
    ud2
end_function laio_activation_begin

begin_function laio_activation_end
    mov THREAD_SP(%rdi), %rsp
    restore_application
    ret
end_function laio_activation_end

    .section .note.GNU-stack, "", @progbits
