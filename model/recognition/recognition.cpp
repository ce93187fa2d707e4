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
    {"mobilefacenet", "2.1 million parameters, few operations", mobilefacenet, 1.27},
    {"iresnet-tiny", "0.4 million parameters: suits CPUs", iresnet<iresnet_tiny>, 1.32},
    {"iresnet18", "24 million parameters", iresnet<iresnet18>, 1.15},
    {"iresnet34", "34 million parameters", iresnet<iresnet34>, 1.15},
    {"iresnet50", "44 million parameters", iresnet<iresnet50>, 1.15},
    {"iresnet100", "65 million parameters", iresnet<iresnet100>, 1.15},
};

}  // namespace

std::span<const NetworkKind> network_kinds() { return kNetworks; }
std::vector<std::string> network_names() { return names_of(kNetworks); }
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name) {
  return row_of(kNetworks, name, "making a recognition network").make();
}

torch::MemoryFormat fastest_format(const std::string& network, torch::Device device, bool reduced) {
  const bool gains =
      device.is_cpu() ? row_of(kNetworks, network, "laying out a recognition network").channels_last_gain > 1
                      : reduced;
  return gains ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
}

}  // namespace facemae
