#include "tests/forged/use_store.h"

namespace facemae::forged {

Train training() { return nullptr; }

}  // namespace facemae::forged
