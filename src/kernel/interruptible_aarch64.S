// laio_interruptible_call(const int *cancelled, long number, const long *arguments): see interruptible.hpp.
// From laio_interruptible_begin up to, not including, laio_interruptible_end the call has not been made yet.
    .text
    .globl laio_interruptible_call
    .hidden laio_interruptible_call
    .type laio_interruptible_call, %function
laio_interruptible_call:
    .cfi_startproc
    mov x9, x0
    mov x8, x1
    mov x10, x2
    ldp x0, x1, [x10]
    ldp x2, x3, [x10, #16]
    ldp x4, x5, [x10, #32]
    .globl laio_interruptible_begin
    .hidden laio_interruptible_begin
laio_interruptible_begin:
    ldr w11, [x9]
    cbnz w11, laio_interruptible_cancelled
    svc #0
    .globl laio_interruptible_end
    .hidden laio_interruptible_end
laio_interruptible_end:
    ret
    .globl laio_interruptible_cancelled
    .hidden laio_interruptible_cancelled
laio_interruptible_cancelled:
    mov x0, #-125               // -ECANCELED
    ret
    .cfi_endproc
    .size laio_interruptible_call, . - laio_interruptible_call
    .section .note.GNU-stack, "", %progbits
