// long call_with_registers(guest *, long number, const long *arguments, uint64_t *values): laio_activation_call() with the
// registers that a function has to keep filled from `values`, which get what is in them afterwards. See stage.hpp.
    .text
    .globl call_with_registers
call_with_registers:
#if defined(__x86_64__)
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    push %rcx
    mov 0(%rcx), %rbx
    mov 8(%rcx), %rbp
    mov 16(%rcx), %r12
    mov 24(%rcx), %r13
    mov 32(%rcx), %r14
    mov 40(%rcx), %r15
    call laio_activation_call
    pop %rcx
    mov %rbx, 0(%rcx)
    mov %rbp, 8(%rcx)
    mov %r12, 16(%rcx)
    mov %r13, 24(%rcx)
    mov %r14, 32(%rcx)
    mov %r15, 40(%rcx)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
#else
    .macro all_of do, base
    \do x19, x20, [\base]
    \do x21, x22, [\base, #16]
    \do x23, x24, [\base, #32]
    \do x25, x26, [\base, #48]
    \do x27, x28, [\base, #64]
    \do d8, d9, [\base, #80]
    \do d10, d11, [\base, #96]
    \do d12, d13, [\base, #112]
    \do d14, d15, [\base, #128]
    .endm
    stp x29, x30, [sp, #-176]!
    mov x29, sp
    add x9, sp, #16
    all_of stp, x9
    str x3, [sp, #160]
    all_of ldp, x3
    bl laio_activation_call
    ldr x9, [sp, #160]
    all_of stp, x9
    add x9, sp, #16
    all_of ldp, x9
    ldp x29, x30, [sp], #176
    ret
#endif
    .section .note.GNU-stack, "", %progbits
