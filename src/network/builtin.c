/* builtin.c - see builtin.h. The assembler includes the file GVM_NANO, set by CMake, byte by byte. */
#include "network/builtin.h"

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl builtin_weights\n"
        ".hidden builtin_weights\n"
        "builtin_weights:\n"
        ".incbin \"" GVM_NANO "\"\n"
        ".globl builtin_end\n"
        ".hidden builtin_end\n"
        "builtin_end:\n"
        ".popsection\n");
