// laio_interruptible_call(const int *cancelled, long number, const long *arguments): see interruptible.hpp.
// From laio_interruptible_begin up to, not including, laio_interruptible_end the call has not been made yet.
    .text
    .globl laio_interruptible_call
    .hidden laio_interruptible_call
    .type laio_interruptible_call, @function
laio_interruptible_call:
    .cfi_startproc
    mov %rdi, %r11
    mov %rsi, %rax
    mov %rdx, %rcx
    mov 0(%rcx), %rdi
    mov 8(%rcx), %rsi
    mov 16(%rcx), %rdx
    mov 24(%rcx), %r10
    mov 32(%rcx), %r8
    mov 40(%rcx), %r9
    .globl laio_interruptible_begin
    .hidden laio_interruptible_begin
laio_interruptible_begin:
    cmpl $0, (%r11)
    jne laio_interruptible_cancelled
    syscall
    .globl laio_interruptible_end
    .hidden laio_interruptible_end
laio_interruptible_end:
    ret
    .globl laio_interruptible_cancelled
    .hidden laio_interruptible_cancelled
laio_interruptible_cancelled:
    mov $-125, %rax             // -ECANCELED
    ret
    .cfi_endproc
    .size laio_interruptible_call, . - laio_interruptible_call
    .section .note.GNU-stack, "", @progbits
