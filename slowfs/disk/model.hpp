// Which disk it is: the named ones, and how one is made of its parameters.
#pragma once

#include "arm_disk.hpp"
#include "flash_disk.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace slowfs {

enum class model : std::uint8_t { arm, flash, none };
inline constexpr std::array<std::string_view, 3> model_names{"7200rpm", "flash", "none"};

struct model_parameters {
    model which = model::arm;
    arm_parameters arm;
    discipline order = discipline::ncq;
    flash_parameters flash;
};

std::unique_ptr<disk> make_disk(const model_parameters &parameters);

} // namespace slowfs
