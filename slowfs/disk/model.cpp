#include "model.hpp"

#include "no_disk.hpp"

namespace slowfs {

std::unique_ptr<disk> make_disk(const model_parameters &parameters) {
    switch (parameters.which) {
    case model::arm: return std::make_unique<arm_disk>(parameters.arm, parameters.order);
    case model::flash: return std::make_unique<flash_disk>(parameters.flash);
    case model::none: break;
    }
    return std::make_unique<no_disk>();
}

} // namespace slowfs
