// Whether calls can be made in place here at all.
#pragma once

namespace laio {

// A thread pointer can be changed by an instruction, and nothing that watches us takes a change of stack amiss.
bool activations_are_possible();

} // namespace laio
