#include "model/recognition/recognition.h"

#include <torch/torch.h>

#include "core/kinds.h"
#include "model/recognition/iresnet.h"
#include "model/recognition/mobilefacenet.h"

namespace facemae {

namespace {

template <auto config>
std::shared_ptr<RecognitionNetwork> iresnet() {
  return std::make_shared<IResNet>(config());
}
std::shared_ptr<RecognitionNetwork> mobilefacenet() { return std::make_shared<MobileFaceNet>(); }

constexpr NetworkKind kNetworks[] = {
    {"mobilefacenet", "2.1 million parameters, few operations", mobilefacenet},
    {"iresnet-tiny", "0.4 million parameters: suits CPUs", iresnet<iresnet_tiny>},
    {"iresnet18", "24 million parameters", iresnet<iresnet18>},
    {"iresnet34", "34 million parameters", iresnet<iresnet34>},
    {"iresnet50", "44 million parameters", iresnet<iresnet50>},
    {"iresnet100", "65 million parameters", iresnet<iresnet100>},
};

}  // namespace

std::span<const NetworkKind> network_kinds() { return kNetworks; }
std::vector<std::string> network_names() { return names_of(kNetworks); }
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name) {
  return row_of(kNetworks, name, "making a recognition network").make();
}

}  // namespace facemae
