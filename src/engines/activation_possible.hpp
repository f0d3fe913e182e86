// Whether calls can be made in place here at all.
#pragma once

namespace laio {

// A thread pointer can be changed by an instruction, and nothing that watches us takes a change of stack amiss.
bool activations_are_possible();

// Why not, for those who tell.
bool can_set_thread_pointer();
bool has_sanitizer();
bool runs_on_valgrind();

} // namespace laio
