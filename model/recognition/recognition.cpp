#include "model/recognition/recognition.h"

#include <torch/torch.h>

#include "core/kinds.h"
#include "model/recognition/face_vit.h"
#include "model/recognition/ir.h"
#include "model/recognition/iresnet.h"
#include "model/recognition/mobilefacenet.h"

namespace facemae {

namespace {

template <class Network, auto config>
std::shared_ptr<RecognitionNetwork> network_of(const NetworkOptions& options) {
  return std::make_shared<Network>(config(), options);
}

constexpr auto kOfMobileFaceNet = "features.layers.3.running_mean", kOfIResNet = "features.running_mean",
               kOfIr = "output_layer.4.running_mean", kOfVit = "feature.3.running_mean";

using Make = std::shared_ptr<RecognitionNetwork> (*)(const NetworkOptions&);

constexpr NetworkKind convolutions(const char* name, double parameters, const char* help, Make make,
                                   const char* last_norm, double channels_last_gain) {
  return {.name = name,
          .help = help,
          .make = make,
          .channels_last_gain = channels_last_gain,
          .last_norm = last_norm,
          .parameters = parameters,
          .has_dropout = true};
}

constexpr NetworkKind without_dropout(NetworkKind kind) {
  kind.has_dropout = false;
  return kind;
}

constexpr NetworkKind tokens(const char* name, double parameters, const char* help, Make make) {
  return {.name = name,
          .help = help,
          .make = make,
          .channels_last_gain = 1,
          .last_norm = kOfVit,
          .parameters = parameters,
          .has_paths = true};
}

constexpr NetworkKind kNetworks[] = {
    without_dropout(convolutions("mobilefacenet", 2.1e6, "2.1 million parameters, few operations",
                                 network_of<MobileFaceNet, mobilefacenet>, kOfMobileFaceNet, 1.27)),
    without_dropout(convolutions("mobilefacenet-large", 6.3e6, "6.3 million parameters",
                                 network_of<MobileFaceNet, mobilefacenet_large>, kOfMobileFaceNet, 1.13)),
    convolutions("iresnet-tiny", 0.4e6, "0.4 million parameters: suits CPUs",
                 network_of<IResNet, iresnet_tiny>, kOfIResNet, 1.32),
    convolutions("iresnet18", 24e6, "24 million parameters", network_of<IResNet, iresnet18>, kOfIResNet,
                 1.15),
    convolutions("iresnet34", 34e6, "34 million parameters", network_of<IResNet, iresnet34>, kOfIResNet,
                 1.15),
    convolutions("iresnet50", 44e6, "44 million parameters", network_of<IResNet, iresnet50>, kOfIResNet,
                 1.15),
    convolutions("iresnet100", 65e6, "65 million parameters", network_of<IResNet, iresnet100>, kOfIResNet,
                 1.15),
    convolutions("iresnet200", 119e6, "119 million parameters", network_of<IResNet, iresnet200>, kOfIResNet,
                 1.08),
    convolutions("ir18", 24e6,
                 "24 million parameters: as AdaFace, CVLface and TFace have it, like the next three",
                 network_of<IrNet, ir18>, kOfIr, 1.1),
    convolutions("ir34", 34e6, "34 million parameters", network_of<IrNet, ir34>, kOfIr, 1.1),
    convolutions("ir50", 44e6, "44 million parameters", network_of<IrNet, ir50>, kOfIr, 1.1),
    convolutions("ir101", 65e6, "65 million parameters", network_of<IrNet, ir101>, kOfIr, 1.1),
    tokens("vit-t", 19e6, "19 million parameters: a vision transformer of 12 blocks, 256 wide",
           network_of<FaceVit, face_vit_t>),
    tokens("vit-s", 76e6, "76 million parameters: 12 blocks, 512 wide", network_of<FaceVit, face_vit_s>),
    tokens("vit-b", 114e6, "114 million parameters: 24 blocks, 512 wide", network_of<FaceVit, face_vit_b>),
    tokens("vit-l", 256e6, "256 million parameters: 24 blocks, 768 wide", network_of<FaceVit, face_vit_l>),
    tokens("vit-h", 756e6, "756 million parameters: 48 blocks, 1024 wide", network_of<FaceVit, face_vit_h>),
};

}  // namespace

std::span<const NetworkKind> network_kinds() { return kNetworks; }
std::vector<std::string> network_names() { return names_of(kNetworks); }
const NetworkKind& network_kind(const std::string& name) {
  return row_of(kNetworks, name, "choosing a recognition network");
}
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name, const NetworkOptions& options) {
  return network_kind(name).make(options);
}

std::int64_t embedding_width_of(const std::string& name,
                                const std::vector<std::pair<std::string, torch::Tensor>>& weights) {
  const std::string last = network_kind(name).last_norm;
  for (const auto& [key, value] : weights)
    if (key == last && value.dim() == 1 && value.size(0) > 0) return value.size(0);
  return kEmbeddingWidth;
}

torch::MemoryFormat fastest_format(const std::string& network, torch::Device device, bool reduced) {
  const bool gains = device.is_cpu() ? network_kind(network).channels_last_gain > 1 : reduced;
  return gains ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
}

}  // namespace facemae
