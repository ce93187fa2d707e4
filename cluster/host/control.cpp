#include "cluster/host/control.h"

namespace facemae {

bool Control::same_everywhere(const std::string& text) { return all_agree(broadcast(text) == text); }

}  // namespace facemae
